"""What an order's timeline tells: how it stands, whether anything is still to come, and how far somebody has read."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from order_svc.domain import State
from order_svc.store import Entry

ANSWERS: Mapping[str, str] = {
    "order.cancelled": "stock.released",
    "order.shipped": "stock.committed",
    "order.returned": "stock.returned",
}
"""What product_svc answers to an order that moves; the answers to order.placed and order.amended move the order."""

MAILED = frozenset(
    f"order.{what}"
    for what in (
        *("confirmed", "rejected", "cancelled", "amendment_accepted", "amendment_refused"),
        "returned",
    )
)
"""The moves that the customer gets a mail about, whatever happens."""

OPTIONAL = ("shipped", "delivered")
"""The mails about moves that customers can switch off: then nobody tells that there is none to come."""


@dataclass(frozen=True)
class Timeline:
    """Everything that happened to an order so far: position → entry, in the order of the positions.

    An entry can come in below others: its transaction had its position first, and has committed later.
    """

    entries: Mapping[int, Entry]

    @cached_property
    def state(self) -> State:
        """The order's state as its last move has left it."""
        states: list[State] = [entry.detail["state"] for entry in self.entries.values() if "state" in entry.detail]
        return states[-1]

    @cached_property
    def at_rest(self) -> bool:
        """Is nothing under way: no answer about stock, and no mail?"""
        told = Counter(entry.type for entry in self.entries.values())
        answered = told["order.amendment_accepted"] + told["order.amendment_refused"]
        mails = sum(
            entry.type in ("notification.mail_sent", "notification.mail_failed")
            and entry.detail.get("template") not in OPTIONAL
            for entry in self.entries.values()
        )
        return (
            self.state != "PENDING"
            and answered >= told["order.amended"]
            and all(told[answer] >= told[move] for move, answer in ANSWERS.items())
            and mails >= sum(told[move] for move in MAILED)
        )

    def beyond(self, read: Collection[int]) -> Iterator[tuple[int, Entry]]:
        """What somebody has not read."""
        return ((position, entry) for position, entry in self.entries.items() if position not in read)

    def bookmark(self, read: Collection[int]) -> str:
        """What stands for having read these entries: their number, and a digest of which they are.

        Not the last position alone: who comes back with that would miss what came in below it. Nor any position:
        they count the orders of the shop.
        """
        known = [f"{self.entries[position].at} {self.entries[position].type}" for position in sorted(read)]
        return f"{len(known)}-{hashlib.sha256(';'.join(known).encode()).hexdigest()[:16]}"

    def read_until(self, bookmark: str | None) -> set[int]:
        """The entries that somebody with this bookmark has read; none where it is not one of this timeline.

        Where an entry has come in below others since, that is all of them: better twice than not at all.
        """
        number = (bookmark or "").partition("-")[0]
        if not (number.isascii() and number.isdigit() and len(number) < 5):
            return set()
        first = set(list(self.entries)[: int(number)])
        return first if self.bookmark(first) == bookmark else set()
