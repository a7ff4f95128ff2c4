"""Amends an order before it is shipped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.http.preconditions import PreconditionFailed, PreconditionRequired, unchanged_since
from order_svc.amendments import domain
from order_svc.errors import (
    AccountDeactivated,
    AccountErased,
    MixedCurrencies,
    NotForSale,
    OrderNotFound,
    OrderTooLarge,
    SkuNotFound,
    TooManyOrders,
    TooManyPieces,
    TransitionNotAllowed,
)
from order_svc.orders.commands import products_for_sale, use_limits, visible_order
from order_svc.orders.domain import Order
from order_svc.orders.pieces import held_pieces
from order_svc.unit_of_work import OrderUnitOfWork
from order_svc.usage.domain import OrderLimits
from schemas import Address, PricedLine


@dataclass(frozen=True, slots=True)
class AmendOrder:
    """Request other lines or addresses for an order; what it already has changes nothing.

    ``quantities`` None keeps the lines; ``addresses`` holds only those that change. ``owner`` None is staff, who have
    no limits.
    """

    errors: ClassVar = (
        *(OrderNotFound, AccountDeactivated, AccountErased, PreconditionFailed, PreconditionRequired),
        *(TransitionNotAllowed, SkuNotFound, NotForSale, MixedCurrencies, OrderTooLarge),
        *(TooManyOrders, TooManyPieces),
    )
    order_id: UUID
    owner: UUID | None
    if_match: str | None
    quantities: Mapping[str, int] | None
    addresses: Mapping[str, Address | None]
    limits: OrderLimits | None = None

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The order, its customer and the products."""
        if self.owner:
            uow.customers.prefetch(self.owner)
            if self.limits:
                uow.usage.prefetch(self.owner)
        uow.orders.prefetch(self.order_id)
        uow.products.prefetch(*(self.quantities or ()))

    def execute(self, uow: OrderUnitOfWork) -> Order:
        """Request the amendment."""
        order = visible_order(uow, self.order_id, self.owner)
        if self.owner and (customer := uow.customers.get(self.owner)):
            # An access token outlives its account by minutes, in which an erased address must not come back.
            customer.require_active()
        unchanged_since(self.if_match, order.version)
        order.require("amend")
        if amended := domain.amend(order, self._lines(uow, order), self.addresses, uow.now):
            after, event = amended
            if self.owner and self.limits:
                use_limits(uow, self.owner, held_pieces(after) - held_pieces(order), self.limits)
            uow.record(after, event)
            return after
        return order

    def _lines(self, uow: OrderUnitOfWork, order: Order) -> Sequence[PricedLine]:
        if self.quantities is None:
            return order.lines
        products = products_for_sale(uow, domain.growing_skus(order, self.quantities))
        return domain.amended_lines(order, self.quantities, products)
