"""The bodies of order_svc's REST API."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.paging import Page
from order_svc import examples
from order_svc.domain import Order, Reason, State
from order_svc.parts import Amendment, Return, Shipment
from order_svc.store import Entry
from schemas import Address, Line, Money, PricedLine, Shortage
from schemas.values import Currency, Sku, Text

MAX_LINES = 100
MAX_QUANTITY = 10_000


class LineBody(RequestBody):
    """So many of one SKU."""

    sku: Annotated[Sku, Field(examples=["MUG-BLUE"])]
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY, examples=[2])]


class AddressBody(Address):
    """A postal address."""

    model_config = ConfigDict(extra="forbid")


Revision = Annotated[int, Field(examples=[2])]
LineBodies = Annotated[list[LineBody], Field(min_length=1, max_length=MAX_LINES)]
Notes = Annotated[Text, Field(min_length=1, max_length=500, examples=["Leave it with the porter."])]


class OrderBody(RequestBody):
    """An order. Prices are the catalogue's; lines of the same SKU are added up; it goes where you say, or else where
    your orders go by default."""

    lines: LineBodies
    shipping_address: AddressBody | None = None
    billing_address: AddressBody | None = None
    currency: Annotated[
        Currency | None,
        Field(description="refuse the order unless its products are sold in this", examples=["EUR"]),
    ] = None
    notes: Notes | None = None

    def as_lines(self) -> list[Line]:
        """The lines as values."""
        return as_lines(self.lines)

    def address(self) -> Address | None:
        """The address as a value, where the body has one."""
        return as_address(self.shipping_address) if self.shipping_address else None

    def bill_to(self) -> Address | None:
        """The address of the bill as a value, if it is another."""
        return as_address(self.billing_address) if self.billing_address else None


class AmendmentOut(ResponseBody):
    """What the order is to become, once all of it is reserved."""

    revision: Revision
    lines: tuple[PricedLine, ...]
    total: Money
    shipping_address: Address
    billing_address: Address | None


class ShipmentOut(ResponseBody):
    """A parcel that left the house."""

    id: UUID
    carrier: Annotated[str, Field(examples=["DHL"])]
    tracking_number: Annotated[str, Field(examples=["00340434161094042557"])]
    lines: tuple[Line, ...]
    at: datetime


class ReturnOut(ResponseBody):
    """What came back, and how much of the price the customer gets back."""

    id: UUID
    lines: tuple[Line, ...]
    refund: Money
    reason: Annotated[str | None, Field(examples=["Broken on arrival."])]
    at: datetime


class OrderOut(ResponseBody):
    """An order: PENDING until its stock is answered, then CONFIRMED, REJECTED (see shortages) or CANCELLED.

    What is CONFIRMED is SHIPPED, in one or more parts, and DELIVERED. An `amendment` waits until its stock is
    answered; then the order is that, or stays what it was (see shortages).
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.EXAMPLE]})

    id: UUID
    state: State
    lines: tuple[PricedLine, ...]
    total: Money
    shipping_address: Address
    billing_address: Annotated[Address | None, Field(description="null: the shipping address")]
    notes: Annotated[str | None, Field(examples=["Leave it with the porter."])]
    shortages: Annotated[tuple[Shortage, ...], Field(description="why stock was refused the last time")]
    reason: Annotated[Reason | None, Field(description="who or what cancelled it")]
    note: Annotated[
        str | None, Field(description="what was said when it was cancelled", examples=["Ordered twice by mistake."])
    ]
    revision: Annotated[
        int, Field(description="counts the amendments that were asked for, from 1; this one holds", examples=[1])
    ]
    amendment: AmendmentOut | None
    shipments: tuple[ShipmentOut, ...]
    returns: tuple[ReturnOut, ...]
    version: Annotated[int, Field(examples=[3])]
    placed_at: datetime
    changed_at: datetime


class OrdersOut(Page[OrderOut, UUID]):
    """A page of orders, newest first; ``next`` is the ``before`` of the page that follows, if there is one."""


class EntryOut(ResponseBody):
    """Something that happened to an order: an event about it, or a step of its saga that nobody else hears of.

    | `saga.…` | what | `by` |
    |---|---|---|
    | `asked_again` | stock was not answered, and asked for once more | `deadline`, `ops` |
    | `given_up` | stock was not answered: the order is cancelled, or its amendment withdrawn | `deadline`, `ops` |
    | `left_to_amendment` | what was ordered first is refused, and the amendment that waits decides | |
    | `answer_ignored` | nobody waited for the answer about stock any more | |
    """

    at: datetime
    type: Annotated[str, Field(examples=["order.confirmed"])]
    detail: Annotated[
        dict[str, Any],
        Field(description="what is to be known of it, by its type", examples=[{"state": "CONFIRMED"}]),
    ]


class WholeOrderOut(OrderOut):
    """An order, and everything that happened to it so far."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.WHOLE]})

    timeline: list[EntryOut]


class WholeOrdersOut(Page[WholeOrderOut, UUID]):
    """A page of them, newest first; ``next`` is the ``before`` of the page that follows, if there is one."""


class EndOut(ResponseBody):
    """The end of a stream: nothing more is under way for the order as it is."""

    state: State


class ClosedOut(ResponseBody):
    """Why a stream was broken off. Whoever comes back goes on where it was."""

    code: Literal["token_expired", "time_is_up", "stopping"]


class TimelineOut(ResponseBody):
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
        billing_address=order.billing_address,
        notes=order.notes,
        shortages=order.shortages,
        reason=order.reason,
        note=order.note,
        revision=order.revision,
        amendment=_amendment_out(order.amendment) if order.amendment else None,
        shipments=tuple(_shipment_out(one) for one in order.shipments),
        returns=tuple(_return_out(one) for one in order.returns),
        version=order.version,
        placed_at=order.placed_at,
        changed_at=order.changed_at,
    )


def as_lines(lines: Sequence[LineBody]) -> list[Line]:
    """Lines as values."""
    return [Line(sku=line.sku, quantity=line.quantity) for line in lines]


def as_address(address: AddressBody) -> Address:
    """An address as a value."""
    return Address.model_construct(**address.__dict__)


def _amendment_out(amendment: Amendment) -> AmendmentOut:
    return AmendmentOut(
        revision=amendment.revision,
        lines=amendment.lines,
        total=amendment.total,
        shipping_address=amendment.shipping_address,
        billing_address=amendment.billing_address,
    )


def _shipment_out(shipment: Shipment) -> ShipmentOut:
    return ShipmentOut(
        id=shipment.id,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        lines=shipment.lines,
        at=shipment.at,
    )


def _return_out(back: Return) -> ReturnOut:
    return ReturnOut(id=back.id, lines=back.lines, refund=back.refund, reason=back.reason, at=back.at)


def timeline_out(order: Order, entries: list[Entry]) -> TimelineOut:
    """An order's timeline as its owner sees it."""
    return TimelineOut(order_id=order.id, state=order.state, entries=[entry_out(entry) for entry in entries])


def whole_order_out(order: Order, entries: list[Entry]) -> WholeOrderOut:
    """An order with its timeline."""
    told = [entry_out(entry) for entry in entries]
    return WholeOrderOut.model_construct(**dict(order_out(order)), timeline=told)


def entry_out(entry: Entry) -> EntryOut:
    """An entry of a timeline."""
    return EntryOut(at=entry.at, type=entry.type, detail=entry.detail)
