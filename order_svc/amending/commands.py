"""What a customer makes of an order before it is shipped; decided in a transaction that is somebody else's."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from chassis.http.preconditions import unchanged_since
from order_svc.amending import domain
from order_svc.commands import for_sale, own_order
from order_svc.domain import Order
from order_svc.store import OrderBook
from schemas import Address


@dataclass(frozen=True, slots=True)
class Wish:
    """What an order is to become; ``quantities`` None and ``addresses`` that are missing stay as they are."""

    quantities: Mapping[str, int] | None
    addresses: Mapping[str, Address | None]


def want_wish(book: OrderBook, order_id: UUID, customer_id: UUID | None, wish: Wish) -> None:
    """Want what ``amend_order`` looks at."""
    if customer_id:
        book.customers.prefetch(customer_id)
    book.orders.prefetch(order_id)
    book.products.prefetch(*(wish.quantities or ()))


def amend_order(book: OrderBook, order_id: UUID, customer_id: UUID | None, if_match: str | None, wish: Wish) -> Order:
    """Ask for an order to become another; what it is already changes nothing.

    Raise ``OrderUnknown``, ``PreconditionFailed``, ``NotPossibleNow``, and as ``place_order`` does.
    """
    order = own_order(book, order_id, customer_id)
    if customer_id and (customer := book.customers.get(customer_id)):
        # A token outlives its account by minutes, in which an address that was forgotten must not come back.
        customer.require_active()
    unchanged_since(if_match, order.version)
    order.check("amend")
    lines = list(order.lines)
    if wish.quantities is not None:
        products = for_sale(book, domain.grown(order, wish.quantities))
        lines = domain.relined(order, wish.quantities, products)
    if amended := domain.amend(order, lines, wish.addresses, book.now):
        order, event = amended
        book.keep(order, event)
    return order
