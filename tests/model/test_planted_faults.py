"""The machines find each of these faults when it is planted in the code of the services."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, seed
from hypothesis.stateful import RuleBasedStateMachine

from notifier_svc.delivery.commands import PostponeMail
from notifier_svc.mails.domain import Mail
from order_svc.errors import TransitionNotAllowed
from order_svc.saga.actions import request_again
from order_svc.saga.domain import Decision, on_deadline, on_reply
from order_svc.timeline.domain import Timeline
from product_svc.reservations.domain import _shortage, release, settled
from product_svc.reservations.shipments import release_remainder
from tests.model.deliveries import Deliveries
from tests.model.erasures import ErasurePlatform, ErasureSenders
from tests.model.explore import explore
from tests.model.platform import Platform
from tests.model.senders import Senders


def without_tombstone(order_id: Any, held: Any, *rest: Any) -> Any:
    return release(order_id, held, *rest) if held else None


def without_releasing(*args: Any) -> Any:
    released = release(*args)
    return released and (released[0], [], released[2])


def without_releasing_the_remainder(*args: Any) -> Any:
    after, _, event = release_remainder(*args)
    return after, [], event


def reviving(order: Any, reply: Any, now: Any) -> Any:
    return on_reply(replace(order, state="PENDING"), reply, now)


def dropping_the_old_revision(known: Any, has: int) -> Any:
    """The new revision replaces the reservation of the old one at once."""
    return replace(settled(known, has), lines=())


def reserving_the_discontinued(line: Any, stock: Any, held: int) -> Any:
    return _shortage(line, replace(stock, discontinued=False), held)


def awaiting_every_release(stream: Timeline) -> bool:
    return stream.state != "CANCELLED" or any(one.type == "stock.released" for one in stream.entries.values())


def begin_in_any_state(mail: Mail, claim: Any, now: Any) -> Mail | None:
    return replace(mail, state="sending") if mail.claim == claim else None


def postpone_as_expired(mail_id: Any, claim: Any) -> PostponeMail:
    return PostponeMail(mail_id, claim, "the claim expired")


def without_content(mail: Mail, _now: Any) -> tuple[Mail, None]:
    """Remove the content, but not the mail."""
    return replace(mail, context={}, recipient=None, error=None), None


FAULTS: dict[str, tuple[type[RuleBasedStateMachine], str, Any]] = {
    "no tombstone": (Platform, "product_svc.reservations.domain.release", without_tombstone),
    "lost pieces that were shipped not found": (
        Platform,
        "product_svc.reservations.shipments.find_lost",
        lambda *known: None,
    ),
    "stock not given back": (Platform, "product_svc.reservations.domain.release", without_releasing),
    "remainder not given back": (
        Deliveries,
        "product_svc.reservations.shipments.release_remainder",
        without_releasing_the_remainder,
    ),
    "order that does not end with its last parcel": (
        Deliveries,
        "order_svc.parcels.domain.ending",
        lambda order, now: [],
    ),
    "scrapped pieces restocked": (
        Deliveries,
        "product_svc.reservations.shipments.without_scrapped",
        lambda lines, scrapped: lines,
    ),
    "unavailable stock reserved": (Platform, "product_svc.reservations.domain._shortage", lambda *line: None),
    "order revived by a late reply": (Platform, "order_svc.saga.domain.on_reply", reviving),
    "deadline after the reply": (
        Platform,
        "order_svc.saga.domain.on_deadline",
        lambda order, _attempt, now: Decision([order.cancel("timeout", now)], "given_up"),
    ),
    "deadline of an earlier attempt": (
        Platform,
        "order_svc.saga.domain.on_deadline",
        lambda order, _attempt, now: on_deadline(order, order.reservation_attempts, now),
    ),
    "reservation requested for ever": (
        Platform,
        "order_svc.saga.actions.request_again",
        lambda order, now, **_: request_again(order, now),
    ),
    "stream that waits for the release of a rejected order": (
        Platform,
        "order_svc.timeline.domain.Timeline._stock_released",
        property(awaiting_every_release),
    ),
    "discontinued product reserved": (
        Platform,
        "product_svc.reservations.domain._shortage",
        reserving_the_discontinued,
    ),
    "old revision released before the order has decided": (
        Platform,
        "product_svc.reservations.domain.settled",
        dropping_the_old_revision,
    ),
    "withdrawn amendment kept": (
        Platform,
        "product_svc.reservations.commands.domain.settle_amendment",
        lambda *known, accepted: None,
    ),
    "reply to another revision accepted": (
        Platform,
        "order_svc.saga.domain.on_reply",
        lambda order, reply, now: on_reply(order, reply.model_copy(update={"revision": order.last_revision}), now),
    ),
    "inbox ignored": (Platform, "chassis.messaging.consumer._first_of_each", lambda batch, fresh: batch),
    "time goes backwards": (Platform, "product_svc.reservations.domain.next_time", lambda now, before: now),
    "mail begun after its end": (
        Senders,
        "notifier_svc.mails.domain.Mail.begin_sending",
        begin_in_any_state,
    ),
    "expired claim without a doubt": (Senders, "notifier_svc.delivery.commands.MarkInDoubt", postpone_as_expired),
    "mail in doubt for ever": (Senders, "notifier_svc.mails.domain.MAX_DOUBTS", 9),
    "mail to an erased customer": (
        ErasurePlatform,
        "notifier_svc.mails.commands.is_erased",
        lambda uow, customer_id: False,
    ),
    "mail begun after the erasure": (ErasureSenders, "notifier_svc.mails.domain.Mail.anonymise", without_content),
}

SOON = {
    "lost pieces that were shipped not found": 31,
    "old revision released before the order has decided": 2,
    "scrapped pieces restocked": 3,
    "withdrawn amendment kept": 2,
    "reply to another revision accepted": 3,
    "mail begun after its end": 9,
    "mail in doubt for ever": 2,
    "mail to an erased customer": 4,
}
"""For rare faults, a seed that finds them soon, as long as the machines do not change."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, place, instead = FAULTS[fault]
    monkeypatch.setattr(place, instead)
    # An event that the specification does not know at all causes a KeyError or IndexError.
    with pytest.raises((AssertionError, TransitionNotAllowed, LookupError)):
        search(type(fault, (machine,), {}), SOON.get(fault, 1))


def search(machine: type[RuleBasedStateMachine], first: int) -> None:
    """Search for a short time, then for a long time."""
    for examples in (100, 1000):
        explore(seed(first)(machine), examples, Phase.generate)
