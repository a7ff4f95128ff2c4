"""The REST bodies of the parts of an order."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from chassis.http.addresses import AddressOut, address_out, optional_address_out
from chassis.http.bodies import ResponseBody
from order_svc.orders.parts import Amendment, FailureReason, RequestStatus, ShipmentStatus
from schemas import Line, Money, PricedLine

Revision = Annotated[int, Field(examples=[2])]


class AmendmentOut(ResponseBody):
    """What the order becomes once stock for all of it is reserved."""

    revision: Revision
    lines: tuple[PricedLine, ...]
    total: Money
    shipping_address: AddressOut
    billing_address: AddressOut | None


class ShipmentOut(ResponseBody):
    """A parcel: `in_transit` until it is `delivered` or has `failed`; then it may have `came_back`."""

    id: UUID
    carrier: Annotated[str, Field(examples=["DHL"])]
    tracking_number: Annotated[str, Field(examples=["00340434161094042557"])]
    lines: tuple[Line, ...]
    at: datetime
    status: ShipmentStatus
    changed_at: Annotated[datetime | None, Field(description="when it was delivered, failed or came back")]
    failure_reason: FailureReason | None
    refund: Annotated[Money | None, Field(description="what was in a parcel that failed")]


class CancelledRemainderOut(ResponseBody):
    """What was left to ship when that was cancelled: by whom, and its price, which `total` is without."""

    lines: tuple[PricedLine, ...]
    amount: Money
    reason: Literal["customer", "staff"]
    note: Annotated[str | None, Field(examples=["The last one broke."])]
    at: datetime


class ReturnOut(ResponseBody):
    """What came back, and the amount that the customer gets back; a failed parcel (`shipment_id`) has its `refund`
    itself. What is not `scrapped` can be sold again."""

    id: UUID
    lines: tuple[Line, ...]
    refund: Money
    reason: Annotated[str | None, Field(examples=["Broken on arrival."])]
    at: datetime
    shipment_id: UUID | None
    scrapped: tuple[Line, ...]


class ReturnRequestOut(ResponseBody):
    """What the customer wants to return: `requested`, then `approved` or `declined`; `received` when it came back."""

    id: UUID
    lines: tuple[Line, ...]
    reason: Annotated[str | None, Field(examples=["Broken on arrival."])]
    status: RequestStatus
    note: Annotated[
        str | None, Field(description="what staff say about it", examples=["Please use the label in the parcel."])
    ]
    at: datetime
    changed_at: datetime


def amendment_out(amendment: Amendment) -> AmendmentOut:
    """An amendment as its owner sees it."""
    return AmendmentOut(
        revision=amendment.revision,
        lines=amendment.lines,
        total=amendment.total,
        shipping_address=address_out(amendment.shipping_address),
        billing_address=optional_address_out(amendment.billing_address),
    )
