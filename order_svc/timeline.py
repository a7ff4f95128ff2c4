"""What an order's timeline tells: how it stands, whether anything is still to come, and how far somebody has read."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from order_svc.domain import State
from order_svc.store import Entry

PARCELS: Mapping[str, str] = {"order.shipped": "stock.committed", "order.returned": "stock.returned"}
"""What product_svc answers to a parcel; the answers to order.placed and order.amended move the order."""

MAILS: Mapping[str, str] = {
    "order.confirmed": "receipt",
    "order.rejected": "rejected",
    "order.cancelled": "cancelled",
    "order.amendment_accepted": "order_amended",
    "order.amendment_refused": "amendment_refused",
    "order.returned": "return_received",
}
"""The moves that the customer gets a mail about whatever happens, and its template.

Mails about other moves can be switched off: then nobody tells that there is none to come.
"""


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
        return (
            self.state != "PENDING"
            and self._decided
            and self._given_back
            and all(told[answer] >= told[move] for move, answer in PARCELS.items())
            and self._written >= Counter(template for move, template in MAILS.items() for _ in range(told[move]))
        )

    @property
    def _decided(self) -> bool:
        """Does no amendment wait? With an order that has ended they have, and nobody tells."""
        decided = self._revisions("order.amendment_accepted", "order.amendment_refused")
        return self.state != "CONFIRMED" or self._revisions("order.amended") <= decided

    @property
    def _given_back(self) -> bool:
        """Is nothing set aside for an order that was cancelled? Where all of it was refused, nobody tells so.

        What only one side of an amendment needed is given back as well, and says nothing of a cancellation.
        """
        given_back = any("revision" not in entry.detail for entry in self._told("stock.released"))
        refused, asked = self._revisions("stock.rejected"), self._revisions("order.placed", "order.amended")
        return self.state != "CANCELLED" or given_back or asked <= refused

    @property
    def _written(self) -> Counter[str]:
        """How many mails have left, or could not, by template; without those that staff had sent again."""
        ended = {
            # A mail that was in doubt can be told of twice: as failed, and then as sent.
            (entry.detail["template"], entry.detail.get("mail_id", entry.at))
            for entry in self._told("notification.mail_sent", "notification.mail_failed")
            if "resend_of" not in entry.detail
        }
        return Counter(template for template, _ in ended)

    def _revisions(self, *types: str) -> set[int]:
        """The revisions that entries of these types are about."""
        return {entry.detail.get("revision", 1) for entry in self._told(*types)}

    def _told(self, *types: str) -> Iterator[Entry]:
        return (entry for entry in self.entries.values() if entry.type in types)

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
