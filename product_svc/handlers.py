"""What product_svc does when others tell it something."""

from chassis.consumer import Handler, Handlers
from product_svc.commands import release_stock, reserve_stock
from product_svc.store import Warehouse
from schemas import Envelope, OrderCancelled, OrderPlaced


def reserve(unit: Warehouse, envelope: Envelope[OrderPlaced]) -> None:
    """An order was placed: set its stock aside, or say what is short."""
    reserve_stock(unit, envelope.event.order_id, envelope.event.lines)


def release(unit: Warehouse, envelope: Envelope[OrderCancelled]) -> None:
    """An order ended before shipping: its stock can be sold again."""
    release_stock(unit, envelope.event.order_id)


def the_order_and_its_skus(unit: Warehouse, event: OrderPlaced) -> None:
    """Wants the order's reservation and the stock of its lines."""
    unit.reservations.want(event.order_id)
    unit.stock.want(*(line.sku for line in event.lines))


def the_reservation(unit: Warehouse, event: OrderCancelled) -> None:
    """Wants the order's reservation, which brings the stock it holds."""
    unit.reservations.want(event.order_id)


HANDLERS: Handlers[Warehouse] = {
    OrderPlaced: Handler(reserve, wants=the_order_and_its_skus),
    OrderCancelled: Handler(release, wants=the_reservation),
}
