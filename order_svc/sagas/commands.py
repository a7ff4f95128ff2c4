"""What those who run the shop do to a saga that waits; decided in a transaction that is somebody else's."""

from uuid import UUID

from order_svc import saga
from order_svc.commands import own_order
from order_svc.domain import Order
from order_svc.store import OrderBook

GIVEN_UP = "No answer about the stock."


def retry_saga(book: OrderBook, order_id: UUID) -> Order:
    """Ask for the stock once more, with another deadline; raise ``OrderUnknown``, ``NotPossibleNow``."""
    order = own_order(book, order_id, None)
    for order, event in saga.ask_again(order, book.now):  # noqa: B020 - the last move's order is the answer
        book.keep(order, event)
    return order


def cancel_saga(book: OrderBook, order_id: UUID) -> Order:
    """Do now what the deadline would do: cancel the order, or withdraw its amendment.

    Raise ``OrderUnknown``, ``NotPossibleNow``.
    """
    order, event = saga.give_up(own_order(book, order_id, None), book.now, GIVEN_UP)
    book.keep(order, event)
    return order
