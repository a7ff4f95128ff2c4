"""Records what becomes of parcels; for staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.http.preconditions import PreconditionFailed, PreconditionRequired
from order_svc.errors import OrderNotFound, QuantityExceeded, ShipmentNotFound, TransitionNotAllowed
from order_svc.orders.commands import owner_is_erased, prefetch_with_owner, unchanged_order
from order_svc.orders.domain import Order
from order_svc.orders.parts import ANONYMOUS_TRACKING_NUMBER, FailureReason
from order_svc.parcels import domain
from order_svc.unit_of_work import OrderUnitOfWork

ERRORS = (OrderNotFound, ShipmentNotFound, PreconditionFailed, PreconditionRequired, TransitionNotAllowed)


@dataclass(frozen=True, slots=True)
class CorrectTracking:
    """Replace the carrier and tracking number of a parcel; the number of an erased customer's parcel is not kept."""

    errors: ClassVar = ERRORS
    order_id: UUID
    if_match: str | None
    shipment_id: UUID
    correction_id: UUID
    carrier: str
    tracking_number: str

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order and its customer."""
        prefetch_with_owner(uow, self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Correct the parcel."""
        order = unchanged_order(uow, self.order_id, self.if_match)
        number = ANONYMOUS_TRACKING_NUMBER if owner_is_erased(uow, order) else self.tracking_number
        change = domain.correct_tracking(order, self.shipment_id, self.correction_id, self.carrier, number, uow.now)
        return uow.record_all([change]) if change else order


@dataclass(frozen=True, slots=True)
class DeliverParcel:
    """Record that a parcel has arrived; with the last one the order ends."""

    errors: ClassVar = ERRORS
    order_id: UUID
    if_match: str | None
    shipment_id: UUID

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Deliver the parcel."""
        order = unchanged_order(uow, self.order_id, self.if_match)
        return uow.record_all(domain.deliver_parcel(order, self.shipment_id, uow.now))


@dataclass(frozen=True, slots=True)
class FailParcel:
    """Record that a parcel does not arrive; with the last one the order ends."""

    errors: ClassVar = ERRORS
    order_id: UUID
    if_match: str | None
    shipment_id: UUID
    reason: FailureReason

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Fail the parcel."""
        order = unchanged_order(uow, self.order_id, self.if_match)
        return uow.record_all(domain.fail_parcel(order, self.shipment_id, self.reason, uow.now))


@dataclass(frozen=True, slots=True)
class ReturnParcel:
    """Record that a parcel that failed came back; what is not ``scrapped`` can be sold again."""

    errors: ClassVar = (*ERRORS, QuantityExceeded)
    order_id: UUID
    if_match: str | None
    shipment_id: UUID
    return_id: UUID
    scrapped: Mapping[str, int]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order."""
        uow.orders.prefetch(self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Take the parcel back."""
        order = unchanged_order(uow, self.order_id, self.if_match)
        order, returned = domain.return_parcel(order, self.shipment_id, self.return_id, self.scrapped, uow.now)
        uow.record(order, returned)
        return order
