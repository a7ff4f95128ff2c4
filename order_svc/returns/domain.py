"""How lines of a delivered order are returned: requested by the customer, approved or declined, received. Pure.

Staff can also take lines back that nobody requested to return.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from order_svc.errors import ReturnRequestNotFound, TransitionNotAllowed
from order_svc.orders.domain import Order
from order_svc.orders.lines import plain_lines, quantities_of, select_lines, total_of, without_prices
from order_svc.orders.parts import OPEN_REQUESTS, RequestStatus, Return, ReturnRequest
from schemas import OrderReturned, ReturnApproved, ReturnDeclined, ReturnRequested


@dataclass(frozen=True, slots=True)
class ReturnedGoods:
    """What came back: all quantities, those of them that are scrapped, and for which request, if there is one."""

    quantities: Mapping[str, int]
    scrapped: Mapping[str, int] = field(default_factory=dict)
    request_id: UUID | None = None


def request_return(
    order: Order, request_id: UUID, quantities: Mapping[str, int], reason: str | None, now: datetime
) -> tuple[Order, ReturnRequested]:
    """The customer wants to return lines; raise ``TransitionNotAllowed``, ``QuantityExceeded``."""
    order.require("request_return")
    order.require_left(quantities, order.requestable)
    lines, at = select_lines(order.lines, quantities), order.time_of_change(now)
    request = ReturnRequest(request_id, without_prices(lines), reason, "requested", None, at, at)
    after = order.transition("request_return", now, return_requests=(*order.return_requests, request))
    return after, ReturnRequested(
        order_id=order.id, customer_id=order.customer_id, request_id=request_id, lines=lines, reason=reason
    )


def approve_return(order: Order, request_id: UUID, note: str | None, now: datetime) -> tuple[Order, ReturnApproved]:
    """The customer may send the lines.

    Raise ``ReturnRequestNotFound``, ``TransitionNotAllowed``, and ``QuantityExceeded`` where they came back already.
    """
    request = _request(order, request_id, frozenset({"requested"}))
    order.require("approve_return")
    order.require_left(quantities_of(request.lines), order.returnable)
    requests = _answered(order, request, "approved", note, now)
    after = order.transition("approve_return", now, return_requests=requests)
    return after, ReturnApproved(
        order_id=order.id,
        customer_id=order.customer_id,
        request_id=request_id,
        lines=select_lines(order.lines, quantities_of(request.lines)),
        note=note,
    )


def decline_return(order: Order, request_id: UUID, note: str | None, now: datetime) -> tuple[Order, ReturnDeclined]:
    """The lines are not taken back, also where that was approved before and they did not come.

    Raise ``ReturnRequestNotFound``, ``TransitionNotAllowed``.
    """
    request = _request(order, request_id, OPEN_REQUESTS)
    order.require("decline_return")
    requests = _answered(order, request, "declined", note, now)
    after = order.transition("decline_return", now, return_requests=requests)
    return after, ReturnDeclined(
        order_id=order.id,
        customer_id=order.customer_id,
        request_id=request_id,
        lines=select_lines(order.lines, quantities_of(request.lines)),
        note=note,
    )


def take_back(
    order: Order, return_id: UUID, goods: ReturnedGoods, reason: str | None, now: datetime
) -> tuple[Order, OrderReturned]:
    """Take lines back at the price they were sold at; what is not scrapped can be sold again.

    With a request, which has to be approved, the customer's reason for it is that of the return, unless there is
    another. Raise ``TransitionNotAllowed``, ``QuantityExceeded``, ``ReturnRequestNotFound``.
    """
    order.require("return")
    order.require_left(goods.quantities, order.returnable)
    requests = order.return_requests
    if goods.request_id:
        request = _request(order, goods.request_id, frozenset({"approved"}))
        requests, reason = _answered(order, request, "received", request.note, now), reason or request.reason
    lines, scrapped = select_lines(order.lines, goods.quantities), plain_lines(goods.scrapped)
    at = order.time_of_change(now)
    returned = Return(return_id, without_prices(lines), total_of(lines), reason, at, scrapped=scrapped)
    after = order.transition("return", now, returns=(*order.returns, returned), return_requests=requests)
    return after, OrderReturned(
        order_id=order.id,
        customer_id=order.customer_id,
        return_id=return_id,
        lines=lines,
        refund=returned.refund,
        reason=reason,
        scrapped=scrapped,
        request_id=goods.request_id,
    )


def _request(order: Order, request_id: UUID, statuses: frozenset[RequestStatus]) -> ReturnRequest:
    """A request of an order in one of these statuses; raise ``ReturnRequestNotFound``, ``TransitionNotAllowed``."""
    request = next((one for one in order.return_requests if one.id == request_id), None)
    if request is None:
        raise ReturnRequestNotFound
    if request.status not in statuses:
        raise TransitionNotAllowed(
            f"The return is {request.status}.", state=order.state, allowed=order.allowed_actions
        )
    return request


def _answered(
    order: Order, request: ReturnRequest, status: RequestStatus, note: str | None, now: datetime
) -> tuple[ReturnRequest, ...]:
    changed = replace(request, status=status, note=note, changed_at=order.time_of_change(now))
    return tuple(changed if one.id == request.id else one for one in order.return_requests)
