"""The order saga: what becomes of an order when the answer about its stock comes, or does not.

    answer           about            order is             it becomes    and others hear
    StockReserved    first revision   PENDING              CONFIRMED     OrderConfirmed
    StockReserved    its amendment    PENDING, CONFIRMED   CONFIRMED     AmendmentAccepted (then OrderConfirmed)
    StockRejected    first revision   PENDING              REJECTED      OrderRejected; not while an amendment waits
    StockRejected    its amendment    PENDING, CONFIRMED   same          AmendmentRefused; it stays what it was
    StockRejected    its amendment    PENDING, and the     REJECTED      OrderRejected
                                      first was rejected
    none by half     any of the two   PENDING, CONFIRMED   same          OrderPlaced, OrderAmended, once more
    none in time     first revision   PENDING              CANCELLED     OrderCancelled (timeout)
    none in time     its amendment    CONFIRMED            CONFIRMED     AmendmentRefused, without shortages
    any              anything else    any                  –             what was told before sets the stock right

Half of the deadline counts from when stock was asked for: then it is asked for again (``Order.reminded``), and the
other half counts from there. Who runs the shop can ask again, with a whole deadline, or give up at any time.

An answer can be late, never early: stock is asked for by an event of an order that is already stored. The
order's state is the saga's: nothing has to be kept beside it. The revision fences the answers: one about a revision
that the order neither is nor waits for changes nothing.

Pattern: H. Garcia-Molina, K. Salem, *Sagas*, SIGMOD 1987; the cancellation is the compensation, and of an amendment
the refusal.
"""

from collections.abc import Sequence
from datetime import datetime

from order_svc import domain
from order_svc.amending.domain import accept, asked, left_alone, refuse
from order_svc.domain import Order, Reason
from order_svc.errors import NotPossibleNow
from schemas import Event, Shortage, StockRejected, StockReserved

Moved = tuple[Order, Event | None]
"""An order after a move, and what is told of it; None where it concerns nobody else."""


def on_answer(order: Order, answer: StockReserved | StockRejected, now: datetime) -> Sequence[Moved]:
    """The moves that an answer about stock leads to; none for one that comes too late."""
    if order.amendment and answer.revision == order.amendment.revision:
        if isinstance(answer, StockReserved):
            return _amended(order, now)
        return [_refused(order, answer.shortages, now)]
    if order.state != "PENDING" or answer.revision != order.revision:
        return ()
    if isinstance(answer, StockReserved):
        return [order.confirm(now)]
    if order.amendment:
        return [(left_alone(order), None)]
    return [order.reject(answer.shortages, now)]


def _amended(order: Order, now: datetime) -> Sequence[Moved]:
    accepted = accept(order, now)
    # Whatever became of the first revision: this one is reserved, and that is what was waited for.
    return [accepted, accepted[0].confirm(now)] if order.state == "PENDING" else [accepted]


def _refused(order: Order, shortages: Sequence[Shortage], now: datetime) -> Moved:
    if order.amendment and order.amendment.alone:
        return order.reject(shortages, now)
    return refuse(order, shortages, now)


def on_half_time(order: Order, asking: int, now: datetime) -> Sequence[Moved]:
    """The moves of an order that has waited for half of its deadline; none where something has come in between.

    ``asking`` is the one whose time is over (``Order.asked``): the order may wait because of another one by now.
    """
    if order.asked != asking or not order.waits:
        return ()
    return [give_up(order, now, "timeout")] if order.reminded else ask_again(order, now, reminded=True)


def ask_again(order: Order, now: datetime, *, reminded: bool = False) -> Sequence[Moved]:
    """Ask once more for whatever is not answered; raise ``NotPossibleNow``.

    With another deadline; ``reminded`` where only half of it is left.
    """
    _check_waits(order)
    waiting = order.amendment
    moves: list[tuple[Order, Event]] = []
    if order.state == "PENDING" and not (waiting and waiting.alone):
        order = order.moved("ask again", now, asked=order.asked + 1, reminded=reminded)
        moves.append((order, domain.placed(order)))
    if waiting:
        order = order.moved("ask again", now, asked=order.asked + 1, reminded=reminded)
        moves.append((order, asked(order, waiting)))
    return moves


def give_up(order: Order, now: datetime, reason: Reason, note: str | None = None) -> Moved:
    """Wait no longer: cancel the order, or withdraw its amendment; raise ``NotPossibleNow``."""
    _check_waits(order)
    return order.cancel(reason, now, note) if order.state == "PENDING" else refuse(order, (), now)


def _check_waits(order: Order) -> None:
    if not order.waits:
        raise NotPossibleNow("Nothing is waited for.", state=order.state, allowed=order.steps)
