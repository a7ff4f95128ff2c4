"""What a timeline tells of its order."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from order_svc.store import Entry
from order_svc.timeline import Timeline

AT = datetime(2026, 1, 1, tzinfo=UTC)
SENT, FAILED, RESERVED = "notification.mail_sent", "notification.mail_failed", "stock.reserved"
CONFIRMED = ["order.placed PENDING", RESERVED, "order.confirmed CONFIRMED", SENT]
UPDATE = f"{SENT} shipped"
SHIPPED = [*CONFIRMED, "order.shipped SHIPPED", UPDATE, "stock.committed"]


def timeline(happened: Sequence[str], *positions: int) -> Timeline:
    """A timeline of entries, each as its type and the state it leads to, or the mail it is about."""
    entries = {}
    for nth, told in enumerate(happened, 1):
        kind, _, more = told.partition(" ")
        about = "template" if kind in (SENT, FAILED) else "state"
        detail: dict[str, Any] = {about: more} if more else {}
        entries[nth * 10] = Entry(uuid7(), AT + timedelta(seconds=nth), kind, detail)
    return Timeline({position: entries[position] for position in positions or entries})


@pytest.mark.parametrize(
    ("happened", "state"),
    [
        (CONFIRMED[:2], "PENDING"),
        (CONFIRMED, "CONFIRMED"),
        (["order.placed PENDING", "order.cancelled CANCELLED", RESERVED], "CANCELLED"),
    ],
)
def test_the_last_move_tells_the_state(happened: list[str], state: str) -> None:
    assert timeline(happened).state == state


@pytest.mark.parametrize(
    "happened",
    [
        CONFIRMED,
        ["order.placed PENDING", "stock.rejected", "order.rejected REJECTED", FAILED],
        ["order.placed PENDING", "order.cancelled CANCELLED", SENT, "stock.released"],
        [*CONFIRMED, "order.cancelled CANCELLED", "stock.released", SENT],
        [*CONFIRMED, "order.amended CONFIRMED", RESERVED, "order.amendment_accepted CONFIRMED", SENT],
        [*CONFIRMED, "order.amended CONFIRMED", "stock.rejected", "order.amendment_refused CONFIRMED", SENT],
        SHIPPED,
        [*SHIPPED, "order.shipped SHIPPED", "stock.committed", UPDATE],
        [*CONFIRMED, "order.shipped SHIPPED", "stock.committed", "order.delivered DELIVERED"],
        [
            *SHIPPED,
            "order.delivered DELIVERED",
            UPDATE,
            "order.returned DELIVERED",
            "stock.returned",
            f"{SENT} return",
        ],
        [*CONFIRMED, SENT],
    ],
)
def test_an_order_is_at_rest_when_all_is_answered_and_mailed_and_not_before(happened: list[str]) -> None:
    assert timeline(happened).at_rest
    for nth, told in enumerate(happened):
        if (
            nth
            and happened.count(told) == 1
            and not told.startswith("order.")
            and told not in ("stock.rejected", RESERVED, UPDATE)
        ):
            assert not timeline([*happened[:nth], *happened[nth + 1 :]]).at_rest, told


@pytest.mark.parametrize("length", [1, 2, 3])
def test_what_is_under_way_is_not_at_rest(length: int) -> None:
    assert not timeline(CONFIRMED[:length]).at_rest
    assert not timeline([*CONFIRMED, "order.amended CONFIRMED"]).at_rest
    assert not timeline([*CONFIRMED, "order.shipped SHIPPED", UPDATE]).at_rest


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
