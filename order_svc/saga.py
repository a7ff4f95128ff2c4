"""The order saga: what becomes of an order when the answer about its stock comes, or does not.

    answer           about            order is             it becomes    and others hear
    StockReserved    first revision   PENDING              CONFIRMED     OrderConfirmed
    StockReserved    its amendment    PENDING, CONFIRMED   CONFIRMED     AmendmentAccepted (then OrderConfirmed)
    StockRejected    first revision   PENDING              REJECTED      OrderRejected; not while an amendment waits
    StockRejected    its amendment    PENDING, CONFIRMED   same          AmendmentRefused; it stays what it was
    StockRejected    its amendment    PENDING, and the     REJECTED      OrderRejected
                                      first was rejected
    none in time     first revision   PENDING              CANCELLED     OrderCancelled (timeout)
    none in time     its amendment    CONFIRMED            CONFIRMED     AmendmentRefused, without shortages
    any              anything else    any                  –             what was told before sets the stock right

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
from order_svc.domain import Order
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


def on_deadline(order: Order, amendment: int | None, now: datetime) -> Moved | None:
    """The move of an order whose answer did not come in time; None where it came after all.

    ``amendment`` is the revision whose time is over: the order may wait for another one by now.
    """
    if order.state == "PENDING":
        return order.cancel("timeout", now)
    if order.amendment and order.amendment.revision == amendment:
        return refuse(order, (), now)
    return None


def ask_again(order: Order, now: datetime) -> Sequence[Moved]:
    """Ask once more for whatever is not answered, with another deadline; raise ``NotPossibleNow``."""
    waiting = order.amendment
    moves: list[tuple[Order, Event]] = []
    if order.state == "PENDING" and not (waiting and waiting.alone):
        order = order.moved("ask again", now, asked=order.asked + 1)
        moves.append((order, domain.placed(order)))
    if waiting:
        order = order.moved("ask again", now, asked=order.asked + 1)
        moves.append((order, asked(order, waiting)))
    if not moves:
        raise NotPossibleNow("Nothing is waited for.", state=order.state, allowed=[])
    return moves


def give_up(order: Order, now: datetime, note: str) -> Moved:
    """Do at once what the deadline would do later; raise ``NotPossibleNow``."""
    if order.state == "PENDING":
        return order.cancel("staff", now, note)
    if order.amendment:
        return refuse(order, (), now)
    raise NotPossibleNow("Nothing is waited for.", state=order.state, allowed=[])
