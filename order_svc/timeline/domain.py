"""The timeline of an order: its entries, and what they say about where the order stands. Pure.

An entry holds no free text, which could be personal data.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from order_svc.orders.domain import Order, State
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Envelope,
    Event,
    OrderAmended,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    ParcelDelivered,
    ParcelFailed,
    ParcelReturned,
    RemainderCancelled,
    ReturnApproved,
    ReturnDeclined,
    ReturnRequested,
    TrackingCorrected,
)

RETURN_ANSWERS = ReturnRequested | ReturnApproved | ReturnDeclined
WITH_LINES = (OrderShipped | OrderReturned | RemainderCancelled | RETURN_ANSWERS) | (
    ParcelDelivered | ParcelFailed | ParcelReturned
)
"""The events whose lines the timeline shows."""

STOCK_REPLIES: Mapping[str, Sequence[str]] = {
    "stock.committed": ("order.shipped",),
    "stock.returned": ("order.returned", "order.parcel_returned"),
}
"""What product_svc publishes about parcels, and about which events of order_svc.

(Its replies to order.placed and order.amended change the order.)
"""

MAILS: Mapping[str, str] = {
    "order.confirmed": "receipt",
    "order.rejected": "rejected",
    "order.cancelled": "cancelled",
    "order.amendment_accepted": "order_amended",
    "order.amendment_refused": "amendment_refused",
    "order.returned": "return_received",
    "order.remainder_cancelled": "remainder_cancelled",
    "order.parcel_failed": "parcel_failed",
    "order.return_requested": "return_requested",
    "order.return_approved": "return_approved",
    "order.return_declined": "return_declined",
}
"""The events that the customer always gets a mail about, and its template.

Customers can switch off mails about other events, and nothing is published about a mail that is not sent.
"""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """An entry of an order's timeline."""

    order_id: UUID
    at: datetime
    type: str
    detail: dict[str, Any]
    event_id: UUID | None = None
    """The event of another service that it reports. An event is reported once, however often it is handled."""


def entry_about(order: Order, event: Event) -> TimelineEntry:
    """The entry about an event of an order, which is in the state that the event led to."""
    return TimelineEntry(order.id, order.changed_at, event.type, _detail(order, event))


def entry_from_elsewhere(envelope: Envelope[Event], order_id: UUID, detail: dict[str, Any]) -> TimelineEntry:
    """The entry that reports an event of another service about an order."""
    return TimelineEntry(order_id, envelope.time, envelope.event.type, detail, envelope.id)


def _detail(order: Order, event: Event) -> dict[str, Any]:
    detail: dict[str, Any] = {"state": order.state}
    if order.reason:
        detail["reason"] = order.reason
    if isinstance(event, OrderAmended | AmendmentAccepted | AmendmentRefused):
        detail["revision"] = event.revision
    if isinstance(event, OrderRejected):
        detail["reason"] = "stock"
    if isinstance(event, OrderRejected | AmendmentRefused) and event.shortages:
        detail["shortages"] = [shortage.model_dump() for shortage in event.shortages]
    if isinstance(event, OrderShipped):
        detail |= {"carrier": event.carrier, "tracking_number": event.tracking_number, "complete": event.complete}
    if isinstance(event, TrackingCorrected):
        detail |= {"carrier": event.carrier, "tracking_number": event.tracking_number}
    if isinstance(event, ParcelFailed):
        detail["reason"] = event.reason
    if isinstance(event, TrackingCorrected | ParcelDelivered | ParcelFailed | ParcelReturned):
        detail["shipment_id"] = str(event.shipment_id)
    if isinstance(event, RETURN_ANSWERS):
        detail["request_id"] = str(event.request_id)
    if isinstance(event, WITH_LINES):
        detail["lines"] = [line.model_dump(include={"sku", "quantity"}) for line in event.lines]
    return detail


@dataclass(frozen=True)
class Timeline:
    """Everything that happened to an order so far: position → entry, by position.

    An entry can appear below others: its transaction got its position earlier and committed later.
    """

    entries: Mapping[int, TimelineEntry]

    @cached_property
    def state(self) -> State:
        """The order's state after its last transition."""
        states: list[State] = [entry.detail["state"] for entry in self.entries.values() if "state" in entry.detail]
        return states[-1]

    @cached_property
    def complete(self) -> bool:
        """Is nothing more to come for the order as it is: no reply about stock, and no mail?"""
        count = Counter(entry.type for entry in self.entries.values())
        return (
            self.state != "PENDING"
            and self._amendments_decided
            and self._stock_released
            and all(count[reply] >= sum(count[event] for event in about) for reply, about in STOCK_REPLIES.items())
            and self._mails >= Counter(template for event, template in MAILS.items() for _ in range(count[event]))
        )

    @property
    def _amendments_decided(self) -> bool:
        """Does no amendment wait? In another state than CONFIRMED none does, and no event says so."""
        decided = self._revisions("order.amendment_accepted", "order.amendment_refused")
        return self.state != "CONFIRMED" or self._revisions("order.amended") <= decided

    @property
    def _stock_released(self) -> bool:
        """Is no stock reserved for what was cancelled? Where all of an order was refused, nothing is released.

        A release that names a revision only returned what one side of an amendment did not need.
        """
        released = any("revision" not in entry.detail for entry in self._of_type("stock.released"))
        rejected, requested = self._revisions("stock.rejected"), self._revisions("order.placed", "order.amended")
        if self.state == "CANCELLED":
            return released or requested <= rejected
        return released or not any(self._of_type("order.remainder_cancelled"))

    @property
    def _mails(self) -> Counter[str]:
        """How many mails were sent or failed, by template; without those that staff sent again."""
        ended = {
            # A mail in doubt can be reported twice: first as failed, then as sent.
            (entry.detail["template"], entry.detail.get("mail_id", entry.at))
            for entry in self._of_type("notification.mail_sent", "notification.mail_failed")
            if "resend_of" not in entry.detail
        }
        return Counter(template for template, _ in ended)

    def _revisions(self, *types: str) -> set[int]:
        """The revisions that entries of these types are about."""
        return {entry.detail.get("revision", 1) for entry in self._of_type(*types)}

    def _of_type(self, *types: str) -> Iterator[TimelineEntry]:
        return (entry for entry in self.entries.values() if entry.type in types)

    def unread(self, read: Collection[int]) -> Iterator[tuple[int, TimelineEntry]]:
        """The entries that a reader has not read."""
        return ((position, entry) for position, entry in self.entries.items() if position not in read)

    def bookmark(self, read: Collection[int]) -> str:
        """Stands for having read these entries: their number, and a digest of them.

        The last position alone would not do: its reader would miss an entry that appears below it later. Nor are
        positions public, since they count the orders of the shop.
        """
        known = [f"{self.entries[position].at} {self.entries[position].type}" for position in sorted(read)]
        return f"{len(known)}-{hashlib.sha256(';'.join(known).encode()).hexdigest()[:16]}"

    def read_until(self, bookmark: str | None) -> set[int]:
        """The entries that a reader with this bookmark has read; none where it is not a bookmark of this timeline.

        Where an entry appeared below others since, all entries are sent again: better twice than not at all.
        """
        number = (bookmark or "").partition("-")[0]
        if not (number.isascii() and number.isdigit() and len(number) < 5):
            return set()
        first = set(list(self.entries)[: int(number)])
        return first if self.bookmark(first) == bookmark else set()
