"""Ships and delivers orders, for staff; cancels what is left to ship, also for customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal
from uuid import UUID

from chassis.http.preconditions import ANY, PreconditionFailed, PreconditionRequired
from order_svc.errors import AccountErased, OrderNotFound, QuantityExceeded, TransitionNotAllowed
from order_svc.fulfilment import domain
from order_svc.orders.commands import order_to_cancel, owner_is_erased, prefetch_with_owner, unchanged_order
from order_svc.orders.domain import Order
from order_svc.orders.parts import ANONYMOUS_TRACKING_NUMBER
from order_svc.parcels.domain import deliver
from order_svc.unit_of_work import OrderUnitOfWork


@dataclass(frozen=True, slots=True)
class ShipOrder:
    """Ship a part of an order, or all that is left of it (``quantities`` None).

    The tracking number of an erased customer's parcel is not kept.
    """

    errors: ClassVar = (
        *(OrderNotFound, PreconditionFailed, PreconditionRequired),
        *(TransitionNotAllowed, QuantityExceeded),
    )
    order_id: UUID
    if_match: str | None
    shipment_id: UUID
    carrier: str
    tracking_number: str
    quantities: Mapping[str, int] | None = None

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order and its customer."""
        prefetch_with_owner(uow, self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Ship the lines."""
        order = unchanged_order(uow, self.order_id, self.if_match)
        number = ANONYMOUS_TRACKING_NUMBER if owner_is_erased(uow, order) else self.tracking_number
        order, shipped = domain.ship(order, self.shipment_id, self.carrier, number, self.quantities, uow.now)
        uow.record(order, shipped)
        return order


@dataclass(frozen=True, slots=True)
class CancelRemainder:
    """Cancel what is left to ship of a partly shipped order; ``owner`` None is staff.

    A note about an erased customer's order is not kept: it could be personal.
    """

    errors: ClassVar = (OrderNotFound, AccountErased, PreconditionFailed, TransitionNotAllowed)
    order_id: UUID
    owner: UUID | None
    note: str | None = None
    if_match: str = ANY

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order and its customer."""
        prefetch_with_owner(uow, self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Cancel the remainder."""
        order, erased = order_to_cancel(uow, self.order_id, self.owner, self.if_match)
        reason: Literal["customer", "staff"] = "customer" if self.owner else "staff"
        note = None if erased else self.note
        return uow.record_all(domain.cancel_remainder(order, reason, note, uow.now))


@dataclass(frozen=True, slots=True)
class DeliverOrder:
    """Record that all parcels of an order that are in transit have arrived."""

    errors: ClassVar = (OrderNotFound, PreconditionFailed, PreconditionRequired, TransitionNotAllowed)
    order_id: UUID
    if_match: str | None

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Deliver the order."""
        order, delivered = deliver(unchanged_order(uow, self.order_id, self.if_match), uow.now)
        uow.record(order, delivered)
        return order
