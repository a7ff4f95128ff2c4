"""Requests returns, for customers; approves, declines and receives them, for staff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.http.preconditions import PreconditionFailed, PreconditionRequired, unchanged_since
from order_svc.errors import (
    AccountErased,
    OrderNotFound,
    QuantityExceeded,
    ReturnRequestNotFound,
    TransitionNotAllowed,
)
from order_svc.orders.commands import owner_is_erased, prefetch_with_owner, unchanged_order, visible_order
from order_svc.orders.domain import Order
from order_svc.returns import domain
from order_svc.returns.domain import ReturnedGoods
from order_svc.unit_of_work import OrderUnitOfWork

STAFF_ERRORS = (OrderNotFound, PreconditionFailed, PreconditionRequired, TransitionNotAllowed, ReturnRequestNotFound)


@dataclass(frozen=True, slots=True)
class RequestReturn:
    """Ask to return lines of a delivered order, as its customer. An erased customer cannot, and has no token soon."""

    errors: ClassVar = (
        *(OrderNotFound, AccountErased, PreconditionFailed, PreconditionRequired),
        *(TransitionNotAllowed, QuantityExceeded),
    )
    order_id: UUID
    if_match: str | None
    owner: UUID
    request_id: UUID
    quantities: Mapping[str, int]
    reason: str | None = None

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order and its customer."""
        prefetch_with_owner(uow, self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Request the return."""
        order = visible_order(uow, self.order_id, self.owner)
        if owner_is_erased(uow, order):
            raise AccountErased
        unchanged_since(self.if_match, order.version)
        order, requested = domain.request_return(order, self.request_id, self.quantities, self.reason, uow.now)
        uow.record(order, requested)
        return order


@dataclass(frozen=True, slots=True)
class AnswerReturn:
    """Approve or decline a return that was requested. The note is not kept where the customer was erased."""

    errors: ClassVar = (*STAFF_ERRORS, QuantityExceeded)
    order_id: UUID
    if_match: str | None
    request_id: UUID
    approved: bool
    note: str | None = None

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order and its customer."""
        prefetch_with_owner(uow, self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Answer the request."""
        order = unchanged_order(uow, self.order_id, self.if_match)
        note = None if owner_is_erased(uow, order) else self.note
        answer = domain.approve_return if self.approved else domain.decline_return
        order, answered = answer(order, self.request_id, note, uow.now)
        uow.record(order, answered)
        return order


@dataclass(frozen=True, slots=True)
class ReturnLines:
    """Take lines of a delivered order back. The reason is not kept where the customer was erased."""

    errors: ClassVar = (*STAFF_ERRORS, QuantityExceeded)
    order_id: UUID
    if_match: str | None
    return_id: UUID
    goods: ReturnedGoods
    reason: str | None = None

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order and its customer."""
        prefetch_with_owner(uow, self.order_id)

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Take the lines back."""
        order = unchanged_order(uow, self.order_id, self.if_match)
        reason = None if owner_is_erased(uow, order) else self.reason
        order, returned = domain.take_back(order, self.return_id, self.goods, reason, uow.now)
        uow.record(order, returned)
        return order
