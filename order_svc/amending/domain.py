"""How an order becomes another before it is shipped. Pure.

What it is to become is a revision. Its stock is reserved beside that of the revision before, so whatever comes of
it, one of the two is whole; only then the order is the one or stays the other. One amendment waits at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from order_svc.domain import Order, Product, priced, total_of
from order_svc.parts import Amendment
from schemas import Address, AmendmentAccepted, AmendmentRefused, OrderAmended, PricedLine, Shortage


def amend(
    order: Order, lines: Sequence[PricedLine], addresses: Mapping[str, Address | None], now: datetime
) -> tuple[Order, OrderAmended] | None:
    """Ask for an order to become this; None where it is so already.

    ``addresses`` are the new ``shipping_address`` and ``billing_address``, those of them that change. Raise
    ``NotPossibleNow``, ``MixedCurrencies``, ``OrderTooLarge``.
    """
    order.check("amend")
    wanted = Amendment(
        revision=order.last_revision + 1,
        lines=tuple(lines),
        total=total_of(lines),
        # Only that of the bill can be none.
        shipping_address=addresses.get("shipping_address") or order.shipping_address,
        billing_address=addresses.get("billing_address", order.billing_address),
    )
    if _content(wanted) == _content(order):
        return None
    amended = order.moved(
        *("amend", now),
        amendment=wanted,
        last_revision=wanted.revision,
        asked=order.asked + 1,
        reminded=False,
        shortages=(),
    )
    return amended, asked(order, wanted)


def asked(order: Order, amendment: Amendment) -> OrderAmended:
    """What asks for the stock of an amendment."""
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
    """All of the amendment is reserved: the order is that now."""
    new = _waiting(order)
    accepted = order.moved(
        *("accept", now),
        revision=new.revision,
        lines=new.lines,
        total=new.total,
        shipping_address=new.shipping_address,
        billing_address=new.billing_address,
        amendment=None,
    )
    return accepted, AmendmentAccepted(
        order_id=order.id,
        customer_id=order.customer_id,
        revision=new.revision,
        lines=new.lines,
        total=new.total,
        shipping_address=new.shipping_address,
    )


def refuse(order: Order, shortages: Sequence[Shortage], now: datetime) -> tuple[Order, AmendmentRefused]:
    """The order stays what it was; without shortages the amendment is withdrawn, since nobody answered."""
    refused = AmendmentRefused(
        order_id=order.id,
        customer_id=order.customer_id,
        revision=_waiting(order).revision,
        shortages=tuple(shortages),
    )
    return order.moved("refuse", now, amendment=None, shortages=refused.shortages), refused


def left_alone(order: Order) -> Order:
    """What was ordered first is refused while an amendment waits: the order stands and falls with that."""
    return replace(order, amendment=replace(_waiting(order), alone=True))


def relined(order: Order, quantities: Mapping[str, int], products: Mapping[str, Product]) -> list[PricedLine]:
    """The lines of an order with other quantities.

    What is not more than before keeps its price and name; for more of it, and for what is new, the catalogue of
    today counts (``products``).
    """
    before = {line.sku: line for line in order.lines}
    return [
        replaced(before[sku], quantity) if sku not in products else priced(products[sku], quantity)
        for sku, quantity in quantities.items()
    ]


def replaced(line: PricedLine, quantity: int) -> PricedLine:
    """A line with another quantity."""
    return PricedLine(sku=line.sku, quantity=quantity, name=line.name, unit_price=line.unit_price)


def grown(order: Order, quantities: Mapping[str, int]) -> list[str]:
    """The SKUs of which there is to be more than before."""
    before = {line.sku: line.quantity for line in order.lines}
    return [sku for sku, quantity in quantities.items() if quantity > before.get(sku, 0)]


def _waiting(order: Order) -> Amendment:
    order.check("accept")
    assert order.amendment
    return order.amendment


def _content(of: Order | Amendment) -> tuple[object, ...]:
    return of.lines, of.shipping_address, of.billing_address
