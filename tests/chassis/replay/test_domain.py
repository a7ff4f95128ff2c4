"""The verdict on a record, which a plan and its run share."""

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.messaging.handlers import Handlers, on_repeat
from chassis.replay.domain import Group, Header, Known, Mode, Selection, Sum, Verdict, customer_of, verdict
from chassis.testing import enveloped, record
from order_svc.handlers import HANDLERS as ORDER_HANDLERS
from product_svc.handlers import HANDLERS as PRODUCT_HANDLERS
from schemas import (
    CustomerErased,
    CustomerRegistered,
    Event,
    MailSent,
    OrderPlaced,
    ProductChanged,
    StockLow,
    StockRejected,
    StockReserved,
    golden,
)

THIS = UUID(int=1)


def judged(
    cls: type[Event] | None,
    mode: Mode = "missing",
    known: Known | None = None,
    selection: Selection | None = None,
    handlers: Handlers[Any] = ORDER_HANDLERS,
    *,
    erased: bool = False,
) -> Verdict:
    convergent = {event for event, handler in handlers.items() if on_repeat(handler) == "converge"}
    header = Header(THIS, cls, cls.type if cls else "", "a key", "")
    known = known or Known((), ())
    return verdict(
        Group(mode, handlers.keys(), convergent), selection or Selection(), header, 5, known, erased=erased
    )


def known(handled: Collection[UUID] = (), letters: Collection[UUID] = (), *, repeated: bool = False) -> Known:
    return Known(handled, letters, repeated)


@pytest.mark.parametrize(
    ("cls", "what", "expected"),
    [
        (StockReserved, known(), "to_bring"),
        (StockReserved, known([THIS]), "handled"),
        (StockReserved, known([THIS], [THIS]), "dead_lettered"),
        (StockReserved, known(repeated=True), "repeated"),
        (StockLow, known(), "not_subscribed"),
        # What no class can read is no event of another group: a consumer makes it a dead letter.
        (None, known(), "to_bring"),
        (None, known([THIS]), "handled"),
    ],
)
def test_missing(cls: type[Event] | None, what: Known, expected: Verdict) -> None:
    assert judged(cls, known=what) == expected


@pytest.mark.parametrize("cls", [StockReserved, StockRejected])
def test_replayed_sagas(cls: type[Event]) -> None:
    """AxonFramework#1111: a reply that was handled is never handled again."""
    assert judged(cls, "again", known([THIS])) == "refused"


def test_replay_makes_a_service_emit_again() -> None:
    """eventuate-tram-examples-customers-and-orders#5: handlers of stock, which emit, are never run twice."""
    emitting = [cls for cls, handler in PRODUCT_HANDLERS.items() if on_repeat(handler) == "refuse"]
    assert OrderPlaced in emitting
    for cls in emitting:
        assert judged(cls, "again", known([THIS]), handlers=PRODUCT_HANDLERS) == "refused"


def test_again_brings_what_converges_and_was_handled() -> None:
    assert judged(ProductChanged, "again", known([THIS])) == "to_bring"
    assert judged(ProductChanged, "again", known()) == "refused"


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(key="another"), "filtered"),
        (Selection(key="a key"), "to_bring"),
        (Selection(since=6), "filtered"),
        (Selection(since=5), "to_bring"),
        (Selection(until=5), "filtered"),
        (Selection(type="stock.rejected"), "filtered"),
        (Selection(trace="0" * 32), "filtered"),
    ],
)
def test_selections(selection: Selection, expected: Verdict) -> None:
    assert judged(StockReserved, selection=selection) == expected


def test_events_of_erased_customers_are_skipped() -> None:
    assert judged(CustomerRegistered, erased=True) == "erased"


def test_the_customer_of_an_event_is_found_without_decoding_it() -> None:
    for cls in (CustomerRegistered, OrderPlaced, MailSent):
        event = golden.example(cls)
        found = customer_of(record(enveloped(event)), cls)
        assert found == str(event.customer_id)
    erased = golden.example(CustomerErased)
    assert customer_of(record(enveloped(erased)), CustomerErased) is None


def test_the_order_in_which_ids_are_added_makes_no_difference() -> None:
    ids = [uuid4() for _ in range(100)]
    one, other = Sum(), Sum()
    for event in ids:
        one.add(event)
    for event in reversed(ids):
        other.add(event)
    assert one == other == Sum.read(one.stored())
    less = Sum()
    for event in ids[10:]:
        less.add(event)
    rest = one.minus(less)
    assert rest.plus(less) == one
    assert rest.count == 10
