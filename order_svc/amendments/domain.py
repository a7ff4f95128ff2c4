"""How an order is amended before it is shipped. Pure.

What the order is to become is a new revision. Stock for it is reserved beside that of the current revision, so that
one of the two is complete whatever the reply; only then does the order change, or stay as it is. One amendment waits
at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from order_svc.orders.domain import Order
from order_svc.orders.lines import price_line, total_of
from order_svc.orders.parts import Amendment
from order_svc.replicas.domain import Product
from schemas import Address, AmendmentAccepted, AmendmentRefused, OrderAmended, PricedLine, Shortage


def amend(
    order: Order, lines: Sequence[PricedLine], addresses: Mapping[str, Address | None], now: datetime
) -> tuple[Order, OrderAmended] | None:
    """Request an amendment; None where the order already is what it is to become.

    ``addresses`` has the new ``shipping_address`` and ``billing_address``, where they change. Raise
    ``TransitionNotAllowed``, ``MixedCurrencies``, ``OrderTooLarge``.
    """
    order.require("amend")
    amendment = Amendment(
        revision=order.last_revision + 1,
        lines=tuple(lines),
        total=total_of(lines),
        # Only the billing address can be removed.
        shipping_address=addresses.get("shipping_address") or order.shipping_address,
        billing_address=addresses.get("billing_address", order.billing_address),
    )
    if _content(amendment) == _content(order):
        return None
    amended = order.transition(
        *("amend", now),
        amendment=amendment,
        last_revision=amendment.revision,
        reservation_attempts=order.reservation_attempts + 1,
        retried=False,
    )
    return amended, order_amended(order, amendment)


def order_amended(order: Order, amendment: Amendment) -> OrderAmended:
    """The event that requests the stock of an amendment."""
    return OrderAmended(
        order_id=order.id,
        customer_id=order.customer_id,
        revision=amendment.revision,
        replaces=order.revision,
        lines=amendment.lines,
        total=amendment.total,
        shipping_address=amendment.shipping_address,
        billing_address=amendment.billing_address,
    )


def accept(order: Order, now: datetime) -> tuple[Order, AmendmentAccepted]:
    """Stock for all of the amendment is reserved: the order becomes the amendment."""
    new = _pending(order)
    accepted = order.transition(
        *("accept", now),
        revision=new.revision,
        lines=new.lines,
        total=new.total,
        shipping_address=new.shipping_address,
        billing_address=new.billing_address,
        missing=new.missing,
        amendment=None,
    )
    return accepted, AmendmentAccepted(
        order_id=order.id,
        customer_id=order.customer_id,
        revision=new.revision,
        lines=new.lines,
        total=new.total,
        shipping_address=new.shipping_address,
        billing_address=new.billing_address,
    )


def refuse(order: Order, shortages: Sequence[Shortage], now: datetime) -> tuple[Order, AmendmentRefused]:
    """The order stays as it is. Without shortages the amendment is withdrawn, since no reply came.

    The shortages are those of the amendment, and leave with it: what the order has is reserved. They are in the
    event, and so in the timeline and in the mail.
    """
    refused = AmendmentRefused(
        order_id=order.id,
        customer_id=order.customer_id,
        revision=_pending(order).revision,
        shortages=tuple(shortages),
        lines=_pending(order).lines,
    )
    return order.transition("refuse", now, amendment=None), refused


def reject_original(order: Order) -> Order:
    """Stock for the original revision was refused while an amendment waits: the amendment now decides for both."""
    return replace(order, amendment=replace(_pending(order), original_rejected=True))


def amended_lines(order: Order, quantities: Mapping[str, int], products: Mapping[str, Product]) -> list[PricedLine]:
    """The lines of an order with other quantities.

    A line whose quantity does not grow keeps its price and name; a larger or new line has those of today's catalogue
    (``products``).
    """
    before = {line.sku: line for line in order.lines}
    return [
        with_quantity(before[sku], quantity) if sku not in products else price_line(products[sku], quantity)
        for sku, quantity in quantities.items()
    ]


def with_quantity(line: PricedLine, quantity: int) -> PricedLine:
    """A line with another quantity."""
    return PricedLine(sku=line.sku, quantity=quantity, name=line.name, unit_price=line.unit_price)


def growing_skus(order: Order, quantities: Mapping[str, int]) -> list[str]:
    """The SKUs whose quantity grows."""
    before = {line.sku: line.quantity for line in order.lines}
    return [sku for sku, quantity in quantities.items() if quantity > before.get(sku, 0)]


def _pending(order: Order) -> Amendment:
    order.require("accept")
    assert order.amendment
    return order.amendment


def _content(of: Order | Amendment) -> tuple[object, ...]:
    return of.lines, of.shipping_address, of.billing_address
