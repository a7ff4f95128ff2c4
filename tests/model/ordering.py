"""The specification of orders: how they are placed, what happens to them, and which mails are due."""

from collections import Counter
from typing import Literal
from uuid import UUID

from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Event,
    OrderAmended,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderPlaced,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    OrderUndelivered,
    ParcelDelivered,
    ParcelFailed,
    ParcelReturned,
    RemainderCancelled,
    ReturnApproved,
    ReturnDeclined,
    ReturnRequested,
    StockRejected,
    StockReserved,
    TrackingCorrected,
)
from schemas.values import Line

State = Literal["PENDING", "CONFIRMED", "REJECTED", "CANCELLED", "SHIPPED", "DELIVERED", "UNDELIVERED"]
Step = Literal["asked_again", "given_up"]

MAILS = {"CONFIRMED": "receipt", "REJECTED": "rejected", "CANCELLED": "cancelled"}
"""The states that an order can reach, and the mail about each."""

EVENT_MAILS: dict[type[Event], str] = {
    AmendmentAccepted: "order_amended",
    AmendmentRefused: "amendment_refused",
    OrderShipped: "shipped",
    RemainderCancelled: "remainder_cancelled",
    TrackingCorrected: "tracking_corrected",
    ParcelFailed: "parcel_failed",
    OrderDelivered: "delivered",
    OrderReturned: "return_received",
    ReturnRequested: "return_requested",
    ReturnApproved: "return_approved",
    ReturnDeclined: "return_declined",
}
"""Other events of an order, and the mail that each of them causes."""

ReservationRequest = OrderPlaced | OrderAmended
ParcelEvent = ParcelDelivered | ParcelFailed | ParcelReturned | TrackingCorrected
ReturnEvent = ReturnRequested | ReturnApproved | ReturnDeclined
RequestStatus = Literal["requested", "approved", "declined", "received"]
Decision = OrderConfirmed | OrderRejected | OrderCancelled | AmendmentAccepted | AmendmentRefused


class Ordering:
    def __init__(self) -> None:
        self.orders: dict[UUID, State] = {}
        self.lines: dict[UUID, Counter[str]] = {}
        self.revisions: dict[UUID, int] = {}
        self.waiting: dict[UUID, int] = {}
        """Orders with an open amendment → its revision."""
        self.requested: dict[tuple[UUID, int], tuple[Counter[str], int]] = {}
        """The content of each revision, and the revision that it replaces."""
        self.requests: Counter[tuple[UUID, int]] = Counter()
        """How often the stock of each revision was requested."""
        self.retried: set[UUID] = set()
        """The waiting orders that were retried, and have half of their deadline left."""
        self.replies: dict[tuple[UUID, int], type[StockReserved | StockRejected]] = {}
        self.accepted: set[tuple[UUID, int]] = set()
        self.shipped: dict[UUID, Counter[str]] = {}
        self.returned: dict[UUID, Counter[str]] = {}
        self.in_transit: dict[UUID, dict[UUID, Counter[str]]] = {}
        """The parcels of each order that are under way; ``failed`` are those that failed and did not come back."""
        self.failed: dict[UUID, dict[UUID, Counter[str]]] = {}
        self.arrived: dict[UUID, Counter[str]] = {}
        self.return_requests: dict[UUID, dict[UUID, tuple[RequestStatus, Counter[str]]]] = {}
        self.parcels: dict[UUID, Counter[str]] = {}
        """Shipments and returns that are not in the stock yet."""
        self.remainders: dict[UUID, Counter[str]] = {}
        """What was left to ship of orders, was cancelled, and is not released yet."""
        self.due: Counter[tuple[UUID, str]] = Counter()
        self.customers: dict[UUID, UUID] = {}
        """The customer of each order."""
        self.without_orders: set[UUID] = set()
        """The customers whose erasure order_svc has acknowledged."""

    def waits(self, order: UUID) -> bool:
        return self.orders[order] == "PENDING" or order in self.waiting

    def at_half_time(self, order: UUID) -> Step | None:
        """What the saga must do when half of the deadline of an order passes."""
        if not self.waits(order):
            return None
        if order in self.retried:
            return "given_up"
        self.retried.add(order)
        return "asked_again"

    def can_be_cancelled(self, order: UUID) -> bool:
        return self.orders[order] in ("PENDING", "CONFIRMED")

    def can_be_amended(self, order: UUID) -> bool:
        return self.can_be_cancelled(order) and order not in self.waiting

    def unshipped(self, order: UUID) -> Counter[str]:
        return self.lines[order] - self.shipped[order]

    def can_be_shipped(self, order: UUID) -> bool:
        return (
            self.orders[order] in ("CONFIRMED", "SHIPPED")
            and order not in self.waiting
            and bool(self.unshipped(order))
        )

    def remainder_can_be_cancelled(self, order: UUID) -> bool:
        return self.orders[order] == "SHIPPED" and bool(self.unshipped(order))

    def can_be_delivered(self, order: UUID) -> bool:
        return self.orders[order] == "SHIPPED" and not self.unshipped(order)

    def has_parcels(self, order: UUID) -> bool:
        return bool(self.in_transit[order])

    def has_failed_parcels(self, order: UUID) -> bool:
        return bool(self.failed[order])

    def is_over(self, order: UUID) -> bool:
        """Whether a shipped order has to end: nothing of it is under way or left to ship."""
        return self.orders[order] == "SHIPPED" and not self.has_parcels(order) and not self.unshipped(order)

    def returnable(self, order: UUID) -> Counter[str]:
        return self.arrived[order] - self.returned[order]

    def open_requests(self, order: UUID) -> list[UUID]:
        """The requests whose lines are still to come back."""
        return [
            one for one, (status, _) in self.return_requests[order].items() if status in ("requested", "approved")
        ]

    def has_open_requests(self, order: UUID) -> bool:
        return bool(self.open_requests(order))

    def requestable(self, order: UUID) -> Counter[str]:
        requested = [self.return_requests[order][one][1] for one in self.open_requests(order)]
        return self.returnable(order) - sum(requested, Counter())

    def return_can_be_requested(self, order: UUID) -> bool:
        return self.orders[order] == "DELIVERED" and bool(self.requestable(order))

    def can_be_returned(self, order: UUID) -> bool:
        return self.orders[order] == "DELIVERED" and bool(self.returnable(order))

    def request_stock(self, event: ReservationRequest) -> None:
        order, revision = event.order_id, event.revision
        if self.requests[order, revision]:
            self._retry(event)
        elif isinstance(event, OrderPlaced):
            assert order not in self.orders
            assert event.customer_id not in self.without_orders
            self.customers[order] = event.customer_id
            self.orders[order], self.lines[order], self.revisions[order] = "PENDING", counted(event.lines), 1
            self.shipped[order], self.arrived[order], self.returned[order] = Counter(), Counter(), Counter()
            self.in_transit[order], self.failed[order], self.return_requests[order] = {}, {}, {}
            self.requested[order, 1] = counted(event.lines), 1
        else:
            assert self.can_be_amended(order)
            assert (order, revision - 1) in self.requested
            assert event.replaces == self.revisions[order]
            self.requested[order, revision] = counted(event.lines), event.replaces
            self.waiting[order] = revision
            self.retried.discard(order)
        self.requests[order, revision] += 1

    def _retry(self, event: ReservationRequest) -> None:
        order, revision = event.order_id, event.revision
        assert self.orders[order] == "PENDING" if revision == 1 else self.waiting.get(order) == revision
        replaces = event.replaces if isinstance(event, OrderAmended) else 1
        assert (counted(event.lines), replaces) == self.requested[order, revision]

    def decide(self, event: Decision) -> None:
        order, amendment = event.order_id, self.waiting.get(event.order_id)
        if isinstance(event, AmendmentAccepted | AmendmentRefused):
            assert event.revision == self.waiting.pop(order, None)
        match event:
            case AmendmentAccepted():
                assert self.replies.get((order, event.revision)) is StockReserved
                self.lines[order], self.revisions[order] = counted(event.lines), event.revision
                self.accepted.add((order, event.revision))
            case AmendmentRefused():
                # Without shortages: the deadline has passed.
                assert not event.shortages or self.replies.get((order, event.revision)) is StockRejected
            case OrderConfirmed():
                assert self.orders[order] == "PENDING"
                assert self.replies.get((order, event.revision)) is StockReserved
                assert event.revision == self.revisions[order]
                assert counted(event.lines) == self.lines[order]
                self._reach(order, "CONFIRMED")
            case OrderRejected():
                assert self.orders[order] == "PENDING"
                assert {self.replies.get((order, r)) for r in {1, amendment or 1}} == {StockRejected}
                self._reach(order, "REJECTED")
            case OrderCancelled():
                assert self.can_be_cancelled(order)
                assert event.reason != "timeout" or (self.orders[order] == "PENDING" and order in self.retried)
                self._reach(order, "CANCELLED")

    def track(self, event: ParcelEvent) -> None:
        """Something happened to one parcel."""
        order, parcel = event.order_id, event.shipment_id
        match event:
            case TrackingCorrected():
                assert counted(event.lines) == self.in_transit[order][parcel]
            case ParcelDelivered():
                self.arrived[order] += self.in_transit[order].pop(parcel)
            case ParcelFailed():
                self.failed[order][parcel] = self.in_transit[order].pop(parcel)
            case ParcelReturned():
                back = self.failed[order].pop(parcel)
                assert counted(event.lines) == back
                self.parcels[event.return_id] = back - counted(event.scrapped)

    def answer(self, event: ReturnEvent) -> None:
        """A return is requested, approved or declined."""
        requests, lines = self.return_requests[event.order_id], counted(event.lines)
        match event:
            case ReturnRequested():
                assert self.orders[event.order_id] == "DELIVERED"
                assert lines <= self.requestable(event.order_id)
                requests[event.request_id] = "requested", lines
            case ReturnApproved():
                assert requests[event.request_id] == ("requested", lines)
                requests[event.request_id] = "approved", lines
            case ReturnDeclined():
                assert event.request_id in self.open_requests(event.order_id)
                requests[event.request_id] = "declined", lines

    def fulfil(
        self, event: OrderShipped | RemainderCancelled | OrderDelivered | OrderUndelivered | OrderReturned
    ) -> None:
        order = event.order_id
        match event:
            case OrderShipped():
                assert self.can_be_shipped(order)
                parcel = counted(event.lines)
                assert parcel <= self.unshipped(order)
                assert event.revision == self.revisions[order]
                self.orders[order], self.parcels[event.shipment_id] = "SHIPPED", parcel
                self.in_transit[order][event.shipment_id] = parcel
                self.shipped[order] += parcel
                assert event.complete is not bool(self.unshipped(order))
            case RemainderCancelled():
                assert self.remainder_can_be_cancelled(order)
                assert event.revision == self.revisions[order]
                left = counted(event.lines)
                assert left == self.unshipped(order)
                self.lines[order] -= left
                self.remainders[order] = left
            case OrderDelivered():
                assert self.can_be_delivered(order)
                self.arrived[order] += sum(self.in_transit[order].values(), Counter())
                self.in_transit[order].clear()
                assert self.arrived[order]
                assert event.complete is (self.arrived[order] == self.shipped[order])
                self.orders[order] = "DELIVERED"
            case OrderUndelivered():
                assert self.is_over(order)
                assert not self.arrived[order]
                self.orders[order] = "UNDELIVERED"
            case OrderReturned():
                assert self.orders[order] == "DELIVERED"
                back = counted(event.lines)
                assert back <= self.returnable(order)
                self.parcels[event.return_id] = back - counted(event.scrapped)
                if event.request_id:
                    status, lines = self.return_requests[order][event.request_id]
                    assert status == "approved"
                    self.return_requests[order][event.request_id] = "received", lines
                self.returned[order] += back

    def _reach(self, order: UUID, state: State) -> None:
        self.orders[order] = state
        self.due[order, MAILS[state]] += 1
        if state != "CONFIRMED":
            self.waiting.pop(order, None)


def counted(lines: tuple[Line, ...]) -> Counter[str]:
    """SKU → quantity."""
    return Counter({line.sku: line.quantity for line in lines})
