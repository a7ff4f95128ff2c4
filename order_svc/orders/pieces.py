"""How many pieces orders hold. Pure."""

from order_svc.orders.domain import HOLDING, Order
from order_svc.orders.lines import quantities_of


def held_pieces(order: Order) -> int:
    """How many pieces stock is, or may be, reserved for; while an amendment waits, the larger number of each SKU."""
    if order.state not in HOLDING:
        return 0
    if order.amendment is None and not order.shipments:
        return sum(line.quantity for line in order.lines)
    now, then = order.unshipped, quantities_of(order.amendment.lines) if order.amendment else {}
    return sum(max(now.get(sku, 0), then.get(sku, 0)) for sku in now.keys() | then.keys())
