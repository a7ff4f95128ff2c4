"""The machines find what they are there for: each of these faults, put into the code of the services."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import Phase, seed
from hypothesis.stateful import RuleBasedStateMachine

from notifier_svc.delivery.commands import PostponeMail
from notifier_svc.mails.domain import Mail
from order_svc.errors import NotPossibleNow
from order_svc.saga import ask_again, on_answer, on_half_time
from order_svc.timeline import Timeline
from product_svc.reservations.domain import _shortage, release, settled
from tests.model.explore import explore
from tests.model.test_erasures import Forgetters, Leavers
from tests.model.test_mails import Senders
from tests.model.test_orders import Platform


def without_tombstone(order_id: Any, held: Any, *rest: Any) -> Any:
    return release(order_id, held, *rest) if held else None


def keeping_the_stock(*args: Any) -> Any:
    released = release(*args)
    return released and (released[0], [], released[2])


def reviving(order: Any, answer: Any, now: Any) -> Any:
    return on_answer(replace(order, state="PENDING"), answer, now)


def forgetting_the_old(known: Any, has: int) -> Any:
    """As if the new revision were reserved in place of the old one at once."""
    return replace(settled(known, has), lines=())


def promising_the_discontinued(line: Any, stock: Any, held: int) -> Any:
    return _shortage(line, replace(stock, discontinued=False), held)


def awaiting_every_release(stream: Timeline) -> bool:
    return stream.state != "CANCELLED" or any(one.type == "stock.released" for one in stream.entries.values())


def begin_in_any_state(mail: Mail, claim: Any, now: Any) -> Mail | None:
    return replace(mail, state="sending") if mail.claim == claim else None


def postpone_as_expired(mail_id: Any, claim: Any) -> PostponeMail:
    return PostponeMail(mail_id, claim, "the claim expired")


def emptied(mail: Mail, _now: Any) -> tuple[Mail, None]:
    """As if it were enough to take away what it says."""
    return replace(mail, context={}, recipient=None, error=None), None


FAULTS: dict[str, tuple[type[RuleBasedStateMachine], str, Any]] = {
    "no tombstone": (Platform, "product_svc.reservations.domain.release", without_tombstone),
    "stock not given back": (Platform, "product_svc.reservations.domain.release", keeping_the_stock),
    "stock promised that is not there": (Platform, "product_svc.reservations.domain._shortage", lambda *asked: None),
    "order revived by a late answer": (Platform, "order_svc.saga.on_answer", reviving),
    "deadline after the answer": (
        Platform,
        "order_svc.saga.on_half_time",
        lambda order, _asking, now: [order.cancel("timeout", now)],
    ),
    "deadline of an asking that is past": (
        Platform,
        "order_svc.saga.on_half_time",
        lambda order, _asking, now: on_half_time(order, order.asked, now),
    ),
    "asked again for ever": (Platform, "order_svc.saga.ask_again", lambda order, now, **_: ask_again(order, now)),
    "stream that waits for the release of what was refused": (
        Platform,
        "order_svc.timeline.Timeline._given_back",
        property(awaiting_every_release),
    ),
    "discontinued product promised": (
        Platform,
        "product_svc.reservations.domain._shortage",
        promising_the_discontinued,
    ),
    "old revision given away before the order has decided": (
        Platform,
        "product_svc.reservations.domain.settled",
        forgetting_the_old,
    ),
    "withdrawn amendment kept": (
        Platform,
        "product_svc.reservations.commands.domain.decide_amendment",
        lambda *known, accepted: None,
    ),
    "answer to another revision taken": (
        Platform,
        "order_svc.saga.on_answer",
        lambda order, answer, now: on_answer(order, answer.model_copy(update={"revision": order.last_revision}), now),
    ),
    "inbox not looked at": (Platform, "chassis.messaging.consumer._first_of_each", lambda batch, fresh: batch),
    "time goes back": (Platform, "product_svc.reservations.domain.later", lambda now, before: now),
    "mail begun after its end": (
        Senders,
        "notifier_svc.mails.domain.Mail.begin_sending",
        begin_in_any_state,
    ),
    "mail taken back without a doubt": (Senders, "notifier_svc.delivery.commands.MarkInDoubt", postpone_as_expired),
    "mail in doubt for ever": (Senders, "notifier_svc.mails.domain.MAX_DOUBTS", 9),
    "mail to whoever was erased": (Leavers, "notifier_svc.mails.commands.is_erased", lambda uow, customer_id: False),
    "mail begun after the erasure": (Forgetters, "notifier_svc.mails.domain.Mail.anonymise", emptied),
}

SOON = {
    "no tombstone": 4,
    "old revision given away before the order has decided": 2,
    "withdrawn amendment kept": 4,
    "time goes back": 7,
    "mail begun after its end": 14,
}
"""Where to begin to look for those that are rare: a seed that finds them soon, until the machines change."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, place, instead = FAULTS[fault]
    monkeypatch.setattr(place, instead)
    # What the specification has no place for at all ends in a look-up that finds nothing.
    with pytest.raises((AssertionError, NotPossibleNow, LookupError)):
        look(type(fault, (machine,), {}), SOON.get(fault, 1))


def look(machine: type[RuleBasedStateMachine], first: int) -> None:
    """For a short time, and then for long."""
    for examples in (100, 1000):
        explore(seed(first)(machine), examples, Phase.generate)
