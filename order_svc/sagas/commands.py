"""What becomes of a saga that waits: by its deadline, and by those who run the shop.

Each decides in a transaction that is somebody else's.
"""

from collections.abc import Sequence
from uuid import UUID

from order_svc import saga
from order_svc.commands import own_order
from order_svc.domain import Order
from order_svc.journal import Step
from order_svc.saga import Moved
from order_svc.store import OrderBook

GIVEN_UP = "No answer about the stock."


def pass_half_time(book: OrderBook, order_id: UUID, asking: int) -> Step | None:
    """Ask once more for the stock of an order that has waited for half of its deadline; give up after the other.

    ``asking`` is the one whose time is over (``Order.asked``). None where something has come in between.
    """
    order = book.orders.get(order_id)
    if order is None or not (moves := saga.on_half_time(order, asking, book.now)):
        return None
    step = Step("given_up" if order.reminded else "asked_again", by="deadline")
    _keep(book, moves, step)
    return step


def retry_saga(book: OrderBook, order_id: UUID) -> Order:
    """Ask for the stock once more, with another deadline; raise ``OrderUnknown``, ``NotPossibleNow``."""
    moves = saga.ask_again(own_order(book, order_id, None), book.now)
    return _keep(book, moves, Step("asked_again", by="ops"))


def cancel_saga(book: OrderBook, order_id: UUID) -> Order:
    """Do now what the deadline would do: cancel the order, or withdraw its amendment.

    Raise ``OrderUnknown``, ``NotPossibleNow``.
    """
    move = saga.give_up(own_order(book, order_id, None), book.now, "staff", GIVEN_UP)
    return _keep(book, [move], Step("given_up", by="ops"))


def _keep(book: OrderBook, moves: Sequence[Moved], step: Step) -> Order:
    """Keep one step of a saga, whatever moves it has; return the order after the last."""
    first, *others = moves
    book.keep(*first, step)
    for move in others:
        book.keep(*move)
    return moves[-1][0]
