"""The order saga: what becomes of an order when the answer about its stock comes, or does not.

    answer           order is      it becomes   and others hear
    StockReserved    PENDING       CONFIRMED    OrderConfirmed
    StockReserved    CANCELLED     –            OrderCancelled was told before; it releases the stock
    StockRejected    PENDING       REJECTED     OrderRejected
    StockRejected    CANCELLED     –            nothing was reserved, nothing is to release
    none in time     PENDING       CANCELLED    OrderCancelled (timeout)

An answer can be late, never early: stock is asked for by an event of an order that is already stored. The
order's state is the saga's: nothing has to be kept beside it.

Pattern: H. Garcia-Molina, K. Salem, *Sagas*, SIGMOD 1987; the cancellation is the compensation.
"""

from datetime import datetime

from order_svc.domain import Order
from schemas import OrderCancelled, OrderConfirmed, OrderRejected, StockRejected, StockReserved

Moved = tuple[Order, OrderConfirmed | OrderRejected | OrderCancelled]


def on_answer(order: Order, answer: StockReserved | StockRejected, now: datetime) -> Moved | None:
    """The move that an answer about stock leads to; None for one that comes after the order has ended."""
    if order.state != "PENDING":
        return None
    if isinstance(answer, StockReserved):
        return order.confirm(now)
    return order.reject(answer.shortages, now)


def on_deadline(order: Order, now: datetime) -> Moved | None:
    """The move of an order whose answer did not come in time; None where it came after all."""
    return order.cancel("timeout", now) if order.state == "PENDING" else None
