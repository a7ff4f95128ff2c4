"""Orders as values, without any I/O."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

from order_svc.amendments.domain import reject_original
from order_svc.orders.domain import Order, State
from order_svc.orders.parts import Amendment, Shipment, ShipmentStatus
from schemas import Address, Line, Money, PricedLine, Shortage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
ORDER, CUSTOMER, PRODUCT, PART = (UUID(f"019b7c61-0000-7000-8000-{n:012}") for n in (1, 2, 3, 9))
ADDRESS = Address(name="Ada", street="1 St", city="London", postal_code="SW1Y", country="GB")
SHORT = Shortage(sku="MUG", requested=2, available=1, reason="short")
STATES: tuple[State, ...] = get_args(State)


def line(sku: str = "MUG", quantity: int = 2, amount: int = 1250, currency: str = "EUR") -> PricedLine:
    return PricedLine(
        sku=sku, quantity=quantity, name=sku.title(), unit_price=Money(amount=amount, currency=currency)
    )


def order(state: State = "PENDING", version: int = 1, changed_at: datetime = NOW) -> Order:
    total = Money(amount=2500, currency="EUR")
    return Order(ORDER, CUSTOMER, state, (line(),), total, ADDRESS, (), None, version, NOW, changed_at)


def amended(state: State = "CONFIRMED", *lines: PricedLine) -> Order:
    """An order with a pending amendment, its second revision."""
    new = lines or (line(quantity=3),)
    total = Money(amount=sum(one.unit_price.amount * one.quantity for one in new), currency="EUR")
    amendment = Amendment(2, new, total, ADDRESS, None)
    return replace(order(state), amendment=amendment, last_revision=2, reservation_attempts=2)


def original_rejected() -> Order:
    """A PENDING order whose original revision was refused and whose amendment is pending."""
    return reject_original(amended("PENDING"))


def shipped(state: State = "SHIPPED", quantity: int = 2) -> Order:
    """An order of two mugs of which some were shipped."""
    status: ShipmentStatus = "delivered" if state == "DELIVERED" else "in_transit"
    parcel = Shipment(PART, "DHL", "1", (Line(sku="MUG", quantity=quantity),), NOW, status)
    return replace(order(state), shipments=(parcel,))
