"""What staff does for an order to reach its customer. Each decides in a transaction that is somebody else's."""

from collections.abc import Mapping
from uuid import UUID

from chassis.http.preconditions import unchanged_since
from order_svc.commands import of_nobody, own_order
from order_svc.domain import Order
from order_svc.fulfilment import domain
from order_svc.parts import UNTOLD
from order_svc.store import OrderBook


def ship_order(
    book: OrderBook,
    order_id: UUID,
    if_match: str | None,
    shipment_id: UUID,
    carrier: str,
    tracking_number: str,
    quantities: Mapping[str, int] | None,
) -> Order:
    """Send a part of an order, or all that is left of it (None). Of an erased customer's parcels no number is kept.

    Raise ``OrderUnknown``, ``PreconditionFailed``, ``NotPossibleNow``, ``MoreThanLeft``.
    """
    order = _unchanged(book, order_id, if_match)
    if of_nobody(book, order):
        tracking_number = UNTOLD
    order, shipped = domain.ship(order, shipment_id, carrier, tracking_number, quantities, book.now)
    book.keep(order, shipped)
    return order


def deliver_order(book: OrderBook, order_id: UUID, if_match: str | None) -> Order:
    """Note that an order has arrived; raise ``OrderUnknown``, ``PreconditionFailed``, ``NotPossibleNow``."""
    order, delivered = domain.deliver(_unchanged(book, order_id, if_match), book.now)
    book.keep(order, delivered)
    return order


def return_lines(
    book: OrderBook,
    order_id: UUID,
    if_match: str | None,
    return_id: UUID,
    quantities: Mapping[str, int],
    reason: str | None,
) -> Order:
    """Take lines of a delivered order back. What is said about those of an erased customer is not kept.

    Raise ``OrderUnknown``, ``PreconditionFailed``, ``NotPossibleNow``, ``MoreThanLeft``.
    """
    order = _unchanged(book, order_id, if_match)
    words = None if of_nobody(book, order) else reason
    order, returned = domain.take_back(order, return_id, quantities, words, book.now)
    book.keep(order, returned)
    return order


def _unchanged(book: OrderBook, order_id: UUID, if_match: str | None) -> Order:
    order = own_order(book, order_id, None)
    unchanged_since(if_match, order.version)
    return order
