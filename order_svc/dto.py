"""The bodies of order_svc's REST API."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.paging import Page
from chassis.rest import Answer, Body
from order_svc.domain import Order, Reason, State
from order_svc.store import Entry
from schemas import Address, Line, Money, PricedLine, Shortage
from schemas.values import Sku

MAX_LINES = 100
MAX_QUANTITY = 10_000


class LineBody(Body):
    """So many of one SKU."""

    sku: Annotated[Sku, Field(examples=["MUG-BLUE"])]
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY, examples=[2])]


class AddressBody(Address):
    """A postal address."""

    model_config = ConfigDict(extra="forbid")


class OrderBody(Body):
    """An order. Prices are the catalogue's; lines of the same SKU are added up."""

    lines: Annotated[list[LineBody], Field(min_length=1, max_length=MAX_LINES)]
    shipping_address: AddressBody

    def as_lines(self) -> list[Line]:
        """The lines as values."""
        return [Line(sku=line.sku, quantity=line.quantity) for line in self.lines]

    def address(self) -> Address:
        """The address as a value."""
        return Address.model_construct(**self.shipping_address.__dict__)


class OrderOut(Answer):
    """An order: PENDING until its stock is answered, then CONFIRMED, REJECTED (see shortages) or CANCELLED."""

    id: UUID
    state: State
    lines: tuple[PricedLine, ...]
    total: Money
    shipping_address: Address
    shortages: tuple[Shortage, ...]
    reason: Annotated[Reason | None, Field(description="why it was cancelled")]
    version: int
    placed_at: datetime
    changed_at: datetime


class OrdersOut(Page[OrderOut, UUID]):
    """A page of orders, newest first; ``next`` is the ``before`` of the page that follows, if there is one."""


class EntryOut(Answer):
    """Something that happened to an order."""

    at: datetime
    type: Annotated[str, Field(examples=["order.confirmed"])]
    detail: dict[str, Any]


class TimelineOut(Answer):
    """Everything that happened to an order so far, in the order in which the order service heard of it."""

    order_id: UUID
    state: State
    entries: list[EntryOut]


def order_out(order: Order) -> OrderOut:
    """An order as its owner sees it."""
    return OrderOut.model_construct(
        id=order.id,
        state=order.state,
        lines=order.lines,
        total=order.total,
        shipping_address=order.shipping_address,
        shortages=order.shortages,
        reason=order.reason,
        version=order.version,
        placed_at=order.placed_at,
        changed_at=order.changed_at,
    )


def timeline_out(order: Order, entries: list[Entry]) -> TimelineOut:
    """An order's timeline as its owner sees it."""
    happened = [EntryOut(at=entry.at, type=entry.type, detail=entry.detail) for entry in entries]
    return TimelineOut(order_id=order.id, state=order.state, entries=happened)
