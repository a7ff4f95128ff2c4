"""What a timeline tells of its order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from order_svc.store import Entry
from order_svc.timeline import Timeline

AT = datetime(2026, 1, 1, tzinfo=UTC)
PLACED, RESERVED, REJECTED = "order.placed PENDING", "stock.reserved", "stock.rejected"
CONFIRMED = [PLACED, RESERVED, "order.confirmed CONFIRMED", "sent receipt"]
CANCELLED = ["order.cancelled CANCELLED", "sent cancelled"]
AMENDED, ACCEPTED = "order.amended CONFIRMED r2", "order.amendment_accepted CONFIRMED r2"
SHIPPED = [*CONFIRMED, "order.shipped SHIPPED", "stock.committed", "sent shipped"]
RETURNED = ["order.delivered DELIVERED", "order.returned DELIVERED", "stock.returned", "sent return_received"]


def timeline(happened: Sequence[str], *positions: int) -> Timeline:
    """A timeline of entries: each its type, and the state it leads to, the revision (r2) or mail (m1) it is about."""
    entries = {nth * 10: entry(told, AT + timedelta(seconds=nth)) for nth, told in enumerate(happened, 1)}
    return Timeline({position: entries[position] for position in positions or entries})


def entry(told: str, at: datetime) -> Entry:
    kind, *more = told.split()
    detail: dict[str, Any] = {}
    if kind in ("sent", "failed", "resent"):
        detail["template"], *more = more
        detail |= {"resend_of": "m0"} if kind == "resent" else {}
        kind = f"notification.mail_{'failed' if kind == 'failed' else 'sent'}"
    for about in more:
        if about.isupper():
            detail["state"] = about
        elif about.startswith("r"):
            detail["revision"] = int(about[1:])
        else:
            detail["mail_id"] = about
    return Entry(uuid7(), at, kind, detail)


@pytest.mark.parametrize(
    ("happened", "state"),
    [
        (CONFIRMED[:2], "PENDING"),
        (CONFIRMED, "CONFIRMED"),
        ([PLACED, "order.cancelled CANCELLED", RESERVED, "saga.answer_ignored"], "CANCELLED"),
    ],
)
def test_the_last_move_tells_the_state(happened: list[str], state: str) -> None:
    assert timeline(happened).state == state


HISTORIES: dict[str, list[str]] = {
    "confirmed": CONFIRMED,
    "rejected, and the mail refused": [PLACED, REJECTED, "order.rejected REJECTED", "failed rejected"],
    "cancelled before the answer": [PLACED, *CANCELLED, RESERVED, "stock.released"],
    "cancelled after the answer": [*CONFIRMED, *CANCELLED, "stock.released"],
    "cancelled with an amendment that waits": [
        *CONFIRMED,
        AMENDED,
        *CANCELLED,
        "stock.reserved r2",
        "stock.released",
    ],
    "cancelled after an amendment that needed less": [
        *(*CONFIRMED, AMENDED, "stock.reserved r2", ACCEPTED, "sent order_amended", "stock.released r2"),
        *(*CANCELLED, "stock.released"),
    ],
    "amended": [*CONFIRMED, AMENDED, "stock.reserved r2", ACCEPTED, "sent order_amended"],
    "amended, and asked for twice": [
        *(*CONFIRMED, AMENDED, "saga.asked_again", AMENDED, "stock.reserved r2", ACCEPTED, "sent order_amended"),
    ],
    "amended in vain": [
        *(*CONFIRMED, AMENDED, "stock.rejected r2", "order.amendment_refused CONFIRMED r2", "sent amendment_refused"),
    ],
    "amended twice": [
        *(*CONFIRMED, AMENDED, "stock.reserved r2", ACCEPTED, "failed order_amended m1", "sent order_amended m1"),
        *("order.amended CONFIRMED r3", "order.amendment_accepted CONFIRMED r3", "sent order_amended m2"),
    ],
    "shipped": SHIPPED,
    "shipped in two parts": [*SHIPPED, "order.shipped SHIPPED", "stock.committed", "sent shipped"],
    "shipped to who wants no mail about that": SHIPPED[:-1],
    "returned": [*SHIPPED, *RETURNED],
    "asked for twice": [PLACED, "saga.asked_again", *CONFIRMED, RESERVED, "saga.answer_ignored"],
}
"""What can become of an order, until nothing more is to come."""

REFUSED = {
    "cancelled before the refusal": [PLACED, *CANCELLED, REJECTED],
    "both revisions refused": [
        *(PLACED, "order.amended PENDING r2", REJECTED, "saga.left_to_amendment", "stock.rejected r2"),
        *("order.rejected REJECTED", "sent rejected"),
    ],
    "cancelled, and both revisions refused": [
        *(PLACED, "order.amended PENDING r2", REJECTED, "saga.left_to_amendment", *CANCELLED, "stock.rejected r2"),
    ],
}
"""And where nothing was ever set aside: nobody tells that it is given back."""


@pytest.mark.parametrize("history", HISTORIES | REFUSED)
def test_an_order_is_at_rest_when_all_is_answered_and_mailed(history: str) -> None:
    assert timeline((HISTORIES | REFUSED)[history]).at_rest


DUE = ("stock.released", "stock.committed", "stock.returned", "sent", "failed")
NOT_DUE = ("sent shipped", "stock.released r2", "failed order_amended m1", "sent order_amended m1")


@pytest.mark.parametrize(
    ("history", "missing"),
    [
        (history, told)
        for history, happened in HISTORIES.items()
        for told in dict.fromkeys(happened)
        if told.startswith(DUE) and told not in NOT_DUE and happened.count(told) == 1
    ],
)
def test_an_order_is_under_way_without_any_of_what_is_due(history: str, missing: str) -> None:
    assert not timeline([told for told in HISTORIES[history] if told != missing]).at_rest


@pytest.mark.parametrize(
    "happened",
    [
        *(CONFIRMED[:length] for length in (1, 2, 3)),
        [*CONFIRMED, AMENDED],
        [*CONFIRMED, "order.shipped SHIPPED", "sent shipped"],
        [*CONFIRMED, "order.cancelled CANCELLED", "stock.released", "resent receipt"],
        [PLACED, *CANCELLED, "order.amended PENDING r2", REJECTED],
        [*CONFIRMED, *HISTORIES["amended"][4:], "order.amended CONFIRMED r3", AMENDED],
    ],
    ids=str,
)
def test_what_is_under_way_is_not_at_rest(happened: list[str]) -> None:
    assert not timeline(happened).at_rest


def test_who_comes_back_goes_on_where_it_was() -> None:
    short, long = timeline(CONFIRMED[:2]), timeline(CONFIRMED)
    mark = short.bookmark({10, 20})
    assert long.read_until(mark) == {10, 20}
    assert [position for position, _ in long.beyond({10, 20})] == [30, 40]
    assert long.read_until(long.bookmark({10, 20, 30, 40})) == {10, 20, 30, 40}
    assert long.read_until(None) == set()


def test_who_has_missed_what_came_in_below_reads_all_of_it_again() -> None:
    mark = timeline(CONFIRMED, 10, 30).bookmark({10, 30})
    assert timeline(CONFIRMED).read_until(mark) == set()
    later = timeline(CONFIRMED).bookmark({10, 20, 30})
    assert timeline(CONFIRMED).read_until(later) == {10, 20, 30}, "it was sent what came in late"


@pytest.mark.parametrize(
    "mark", ["", "x", "-", "0", "1", "2-", "2-x", "9999-x", "-1-x", "9" * 5000, "٣-x", "\x00", "1-" + "0" * 16]
)
def test_a_bookmark_that_is_none_of_this_timeline_has_read_nothing(mark: str) -> None:
    assert timeline(CONFIRMED).read_until(mark) == set()
