"""What product_svc does when others tell it something."""

from chassis.closures import Handler
from chassis.messaging.handlers import Handlers
from product_svc.reservations.commands import (
    commit_stock,
    decide_amendment,
    release_stock,
    reserve_stock,
    restock,
)
from product_svc.store import Warehouse
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    Envelope,
    OrderAmended,
    OrderCancelled,
    OrderPlaced,
    OrderReturned,
    OrdersAnonymised,
    OrderShipped,
)


def reserve(unit: Warehouse, envelope: Envelope[OrderPlaced]) -> None:
    """An order was placed: set its stock aside, or say what is short."""
    reserve_stock(unit, envelope.event.order_id, envelope.event.lines)


def reserve_again(unit: Warehouse, envelope: Envelope[OrderAmended]) -> None:
    """An order is to become another: set that aside beside what it has, or say what is short."""
    event = envelope.event
    reserve_stock(unit, event.order_id, event.lines, event.revision, event.replaces)


def keep_the_new(unit: Warehouse, envelope: Envelope[AmendmentAccepted]) -> None:
    """An order has become another: what only the old one needed can be sold again."""
    decide_amendment(unit, envelope.event.order_id, envelope.event.revision, accepted=True)


def keep_the_old(unit: Warehouse, envelope: Envelope[AmendmentRefused]) -> None:
    """An order stays what it was: what only the new one needed can be sold again."""
    decide_amendment(unit, envelope.event.order_id, envelope.event.revision, accepted=False)


def commit(unit: Warehouse, envelope: Envelope[OrderShipped]) -> None:
    """A shipment left the house, with what was set aside for it."""
    event = envelope.event
    commit_stock(unit, event.order_id, event.shipment_id, event.revision, event.lines)


def shelve(unit: Warehouse, envelope: Envelope[OrderReturned]) -> None:
    """Lines of an order came back: they can be sold again."""
    restock(unit, envelope.event.order_id, envelope.event.return_id, envelope.event.lines)


def release(unit: Warehouse, envelope: Envelope[OrderCancelled]) -> None:
    """An order ended before shipping: its stock can be sold again."""
    release_stock(unit, envelope.event.order_id)


def forget(unit: Warehouse, envelope: Envelope[OrdersAnonymised]) -> None:
    """A customer was erased: what was set aside of their orders has names and streets in it."""
    unit.redactions.add(envelope.event.customer_id)


def nothing(_unit: Warehouse, _event: OrdersAnonymised) -> None:
    """Wants no row: dead letters are not among them."""


def the_order_and_its_skus(unit: Warehouse, event: OrderPlaced | OrderAmended | OrderShipped | OrderReturned) -> None:
    """Wants the order's reservation and the stock of the lines, which may be others than it holds."""
    unit.reservations.prefetch(event.order_id)
    unit.stock.prefetch(*(line.sku for line in event.lines))


def the_reservation(unit: Warehouse, event: OrderCancelled | AmendmentAccepted | AmendmentRefused) -> None:
    """Wants the order's reservation, which brings the stock it holds."""
    unit.reservations.prefetch(event.order_id)


HANDLERS: Handlers[Warehouse] = {
    OrderPlaced: Handler(reserve, wants=the_order_and_its_skus),
    OrderCancelled: Handler(release, wants=the_reservation),
    OrderAmended: Handler(reserve_again, wants=the_order_and_its_skus),
    AmendmentAccepted: Handler(keep_the_new, wants=the_reservation),
    AmendmentRefused: Handler(keep_the_old, wants=the_reservation),
    OrderShipped: Handler(commit, wants=the_order_and_its_skus),
    OrderReturned: Handler(shelve, wants=the_order_and_its_skus),
    OrdersAnonymised: Handler(forget, wants=nothing),
}
