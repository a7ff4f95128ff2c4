"""The REST bodies of orders."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Response
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from chassis.http.addresses import AddressBody, AddressOut, address_out, optional_address_out
from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.fields import VISIBLE, CurrencyCode, Prose
from chassis.http.paging import NEXT, Page
from chassis.http.preconditions import etag
from order_svc.orders import examples
from order_svc.orders.domain import Order, Reason, State
from order_svc.orders.lines import quantities_of
from order_svc.orders.part_dto import (
    AmendmentOut,
    CancelledRemainderOut,
    ReturnOut,
    ReturnRequestOut,
    ShipmentOut,
    amendment_out,
)
from order_svc.orders.parts import RequestStatus
from schemas import Address, Line, Money, PricedLine, Shortage
from schemas.values import Sku, Text

MAX_LINES = 100
MAX_QUANTITY = 10_000
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
DAY = "2026-01-03T00:00:00Z"


EndReason = Reason | Literal["stock"]


class LineBody(RequestBody):
    """A quantity of one SKU."""

    sku: Annotated[Sku, Field(examples=["MUG-BLUE"])]
    quantity: Annotated[int, Field(ge=1, le=MAX_QUANTITY, examples=[2])]


LineBodies = Annotated[list[LineBody], Field(min_length=1, max_length=MAX_LINES)]
Notes = Annotated[
    Prose,
    Field(min_length=1, max_length=500, examples=["Leave it with the porter."]),
    VISIBLE,
]


class OrderBody(RequestBody):
    """An order, at the catalogue's prices. Lines of the same SKU are added up; without a `shipping_address` the order
    goes to your default address."""

    lines: LineBodies
    shipping_address: AddressBody | None = None
    billing_address: AddressBody | None = None
    currency: Annotated[
        CurrencyCode | None,
        Field(description="refuse the order unless its products are sold in this currency", examples=["EUR"]),
    ] = None
    notes: Notes | None = None


class CancellationBody(RequestBody):
    """Why an order, or what is left of it, is cancelled."""

    note: Notes | None = None


def _rfc3339(value: Any) -> Any:
    """A date is its first moment, in UTC. A number is refused, which Pydantic takes for seconds since 1970."""
    if isinstance(value, str) and re.fullmatch(DATE, value):
        return f"{value}T00:00:00Z"
    if isinstance(value, str) and not re.match(DATE, value):
        raise ValueError("must be a time or a date as in RFC 3339")
    return value


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_rfc3339),
    WithJsonSchema({"anyOf": [{"type": "string", "format": one} for one in ("date-time", "date")]}),
]


class OrderQuery(BaseModel):
    """The filter of a list of orders, and the page to return."""

    model_config = ConfigDict(frozen=True)

    state: Annotated[list[State], Field(description="in one of these states", examples=[["PENDING"]])] = []
    return_request: Annotated[
        list[RequestStatus],
        Field(description="with a request to return something in one of these statuses", examples=[["requested"]]),
    ] = []
    placed_from: Annotated[
        Moment | None, Field(description="placed then or later; a date begins in UTC", examples=[DAY])
    ] = None
    placed_to: Annotated[Moment | None, Field(description="placed before; a date begins in UTC", examples=[DAY])] = (
        None
    )
    q: Annotated[
        Text | None,
        Field(
            min_length=1,
            max_length=100,
            description="a part of the order's id, or of the name or SKU of one of its lines",
            examples=["mug"],
        ),
    ] = None
    customer_id: Annotated[UUID | None, Field(description="of this customer; for staff")] = None
    cursor: Annotated[UUID | None, Field(description=NEXT)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class OrderOut(ResponseBody):
    """An order. It is PENDING until its stock is decided, then CONFIRMED, REJECTED (see `shortages`) or CANCELLED.

    A CONFIRMED order is SHIPPED, in one or more parcels, and then DELIVERED, or UNDELIVERED if none arrived. An
    `amendment` waits until its stock is decided; then the order becomes the amendment, or stays as
    it is (the timeline says why). What is left to ship can be cancelled; then it is in `cancelled_remainder`, and no
    longer in `lines` and `total`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [examples.SHIPPED]})

    id: UUID
    state: State
    lines: tuple[PricedLine, ...]
    total: Money
    shipping_address: AddressOut
    billing_address: Annotated[AddressOut | None, Field(description="null: the shipping address")]
    notes: Annotated[str | None, Field(examples=["Leave it with the porter."])]
    shortages: Annotated[tuple[Shortage, ...], Field(description="why the order is REJECTED")]
    reason: Annotated[
        EndReason | None,
        Field(description="who or what cancelled the order; `stock`: why it was rejected, see `shortages`"),
    ]
    note: Annotated[
        str | None, Field(description="the note of the cancellation", examples=["Ordered twice by mistake."])
    ]
    revision: Annotated[
        int, Field(description="the current revision; each amendment gets the next number", examples=[1])
    ]
    amendment: AmendmentOut | None
    shipments: tuple[ShipmentOut, ...]
    cancelled_remainder: CancelledRemainderOut | None
    returns: tuple[ReturnOut, ...]
    return_requests: tuple[ReturnRequestOut, ...]
    missing: Annotated[
        tuple[Line, ...], Field(description="what was reserved and was lost in the warehouse; it cannot be shipped")
    ]
    version: Annotated[int, Field(examples=[3])]
    placed_at: datetime
    changed_at: datetime
    customer_id: Annotated[UUID | None, Field(description="for staff who read orders; else null")]
    customer_name: Annotated[
        str | None,
        Field(
            description="for staff who read orders; else null, and where the customer was erased",
            examples=["Ada Lovelace"],
        ),
    ]


class OrdersOut(Page[OrderOut, UUID]):
    """A page of orders, newest first; ``next`` is the ``cursor`` of the next page, if there is one."""


def order_out(order: Order, names: Mapping[UUID, str] | None = None) -> OrderOut:
    """An order as its owner sees it; with the ``names`` of customers, by their ids, as staff do."""
    remainder = order.cancelled_remainder
    return OrderOut.model_construct(
        id=order.id,
        state=order.state,
        lines=order.lines,
        total=order.total,
        shipping_address=address_out(order.shipping_address),
        billing_address=optional_address_out(order.billing_address),
        notes=order.customer_notes,
        shortages=order.shortages,
        reason="stock" if order.state == "REJECTED" else order.reason,
        note=order.cancellation_note,
        revision=order.revision,
        amendment=amendment_out(order.amendment) if order.amendment else None,
        shipments=tuple(ShipmentOut.of(shipment) for shipment in order.shipments),
        cancelled_remainder=CancelledRemainderOut.of(remainder) if remainder else None,
        returns=tuple(ReturnOut.of(returned) for returned in order.returns),
        return_requests=tuple(ReturnRequestOut.of(request) for request in order.return_requests),
        missing=order.missing_lines,
        version=order.version,
        placed_at=order.placed_at,
        changed_at=order.changed_at,
        customer_id=None if names is None else order.customer_id,
        customer_name=None if names is None else names.get(order.customer_id),
    )


def with_etag(response: Response, order: Order, names: Mapping[UUID, str] | None = None) -> OrderOut:
    """The body of a response that shows an order; gives the response the order's ``ETag``."""
    response.headers["ETag"] = etag(order.version)
    return order_out(order, names)


def as_quantities(lines: Sequence[LineBody]) -> dict[str, int]:
    """SKU → quantity."""
    return quantities_of([Line(sku=line.sku, quantity=line.quantity) for line in lines])


def as_address(address: AddressBody | None) -> Address | None:
    """An address as a value."""
    return address.as_value() if address else None
