"""What a timeline says about its order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from order_svc.timeline.domain import Timeline, TimelineEntry

AT = datetime(2026, 1, 1, tzinfo=UTC)
PLACED, RESERVED, REJECTED = "order.placed PENDING", "stock.reserved", "stock.rejected"
CONFIRMED = [PLACED, RESERVED, "order.confirmed CONFIRMED", "sent receipt"]
CANCELLED = ["order.cancelled CANCELLED", "sent cancelled"]
AMENDED, ACCEPTED = "order.amended CONFIRMED r2", "order.amendment_accepted CONFIRMED r2"
SHIPPED = [*CONFIRMED, "order.shipped SHIPPED", "stock.committed", "sent shipped"]
RETURNED = ["order.delivered DELIVERED", "order.returned DELIVERED", "stock.returned", "sent return_received"]


def timeline(entries: Sequence[str], *positions: int) -> Timeline:
    """A timeline of entries: each has its type, and its state, revision (r2) or mail (m1)."""
    found = {nth * 10: entry(text, AT + timedelta(seconds=nth)) for nth, text in enumerate(entries, 1)}
    return Timeline({position: found[position] for position in positions or found})


def entry(text: str, at: datetime) -> TimelineEntry:
    kind, *more = text.split()
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
    return TimelineEntry(uuid7(), at, kind, detail)


@pytest.mark.parametrize(
    ("entries", "state"),
    [
        (CONFIRMED[:2], "PENDING"),
        (CONFIRMED, "CONFIRMED"),
        ([PLACED, "order.cancelled CANCELLED", RESERVED, "saga.answer_ignored"], "CANCELLED"),
    ],
)
def test_the_state_is_that_of_the_last_transition(entries: list[str], state: str) -> None:
    assert timeline(entries).state == state


HISTORIES: dict[str, list[str]] = {
    "confirmed": CONFIRMED,
    "rejected, and the mail refused": [PLACED, REJECTED, "order.rejected REJECTED", "failed rejected"],
    "cancelled before the reply": [PLACED, *CANCELLED, RESERVED, "stock.released"],
    "cancelled after the reply": [*CONFIRMED, *CANCELLED, "stock.released"],
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
    "amended, and requested twice": [
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
    "shipped in part, and the rest cancelled": [
        *(*SHIPPED, "order.remainder_cancelled SHIPPED", "stock.released", "sent remainder_cancelled"),
    ],
    "delivered parcel by parcel": [
        *(*SHIPPED, "order.parcel_delivered SHIPPED", "order.delivered DELIVERED", "sent delivered"),
    ],
    "lost": [*SHIPPED, "order.parcel_failed SHIPPED", "order.undelivered UNDELIVERED", "sent parcel_failed"],
    "refused, and back": [
        *(*SHIPPED, "order.parcel_failed SHIPPED", "order.undelivered UNDELIVERED", "sent parcel_failed"),
        *("order.parcel_returned UNDELIVERED", "stock.returned"),
    ],
    "shipped to a customer without mails about shipments": SHIPPED[:-1],
    "returned": [*SHIPPED, *RETURNED],
    "return requested and declined": [
        *(*SHIPPED, "order.delivered DELIVERED", "order.return_requested DELIVERED", "sent return_requested"),
        *("order.return_declined DELIVERED", "sent return_declined"),
    ],
    "requested twice": [PLACED, "saga.asked_again", *CONFIRMED, RESERVED, "saga.answer_ignored"],
}
"""Histories of orders, after which nothing more is to come."""

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
"""Histories in which no stock was reserved, so that none is released."""


@pytest.mark.parametrize("history", HISTORIES | REFUSED)
def test_a_timeline_is_complete_when_all_stock_is_decided_and_all_mails_are_sent(history: str) -> None:
    assert timeline((HISTORIES | REFUSED)[history]).complete


DUE = ("stock.released", "stock.committed", "stock.returned", "sent", "failed")
NOT_DUE = ("sent shipped", "sent delivered", "stock.released r2", "failed order_amended m1", "sent order_amended m1")


@pytest.mark.parametrize(
    ("history", "missing"),
    [
        (history, text)
        for history, entries in HISTORIES.items()
        for text in dict.fromkeys(entries)
        if text.startswith(DUE) and text not in NOT_DUE and entries.count(text) == 1
    ],
)
def test_a_timeline_is_not_complete_while_anything_is_missing(history: str, missing: str) -> None:
    assert not timeline([text for text in HISTORIES[history] if text != missing]).complete


@pytest.mark.parametrize(
    "entries",
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
def test_a_timeline_is_not_complete_while_anything_is_to_come(entries: list[str]) -> None:
    assert not timeline(entries).complete


def test_a_bookmark_stands_for_the_entries_that_were_read() -> None:
    short, long = timeline(CONFIRMED[:2]), timeline(CONFIRMED)
    bookmark = short.bookmark({10, 20})
    assert long.read_until(bookmark) == {10, 20}
    assert [position for position, _ in long.unread({10, 20})] == [30, 40]
    assert long.read_until(long.bookmark({10, 20, 30, 40})) == {10, 20, 30, 40}
    assert long.read_until(None) == set()


def test_a_reader_that_missed_an_entry_below_reads_all_again() -> None:
    bookmark = timeline(CONFIRMED, 10, 30).bookmark({10, 30})
    assert timeline(CONFIRMED).read_until(bookmark) == set()
    later = timeline(CONFIRMED).bookmark({10, 20, 30})
    assert timeline(CONFIRMED).read_until(later) == {10, 20, 30}, "it has read the entry that appeared below"


@pytest.mark.parametrize(
    "bookmark", ["", "x", "-", "0", "1", "2-", "2-x", "9999-x", "-1-x", "9" * 5000, "٣-x", "\x00", "1-" + "0" * 16]
)
def test_a_bookmark_of_another_timeline_stands_for_nothing(bookmark: str) -> None:
    assert timeline(CONFIRMED).read_until(bookmark) == set()
