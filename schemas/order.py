"""The events of order_svc: what happens to an order.

They carry what their consumers need (lines, total, address), so that a consumer never has to call back.
"""

from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import ORDER_EVENTS
from schemas.values import Address, Id, Line, Money, PricedLine, Shortage


@event("order.placed", topic=ORDER_EVENTS, key="order_id")
class OrderPlaced(Event):
    """A customer placed an order; its stock is to be reserved."""

    order_id: Id
    customer_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    total: Money
    shipping_address: Address
    billing_address: Address | None = None
    notes: str | None = Field(default=None, examples=["Leave it with the porter."])
    revision: int = Field(default=1, examples=[1])


@event("order.confirmed", topic=ORDER_EVENTS, key="order_id")
class OrderConfirmed(Event):
    """Its stock is reserved: the order will be fulfilled."""

    order_id: Id
    customer_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    total: Money
    shipping_address: Address
    revision: int = Field(default=1, examples=[1])
    billing_address: Address | None = None
    placed_at: datetime | None = Field(default=None, examples=[datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)])


@event("order.rejected", topic=ORDER_EVENTS, key="order_id")
class OrderRejected(Event):
    """Its stock could not be reserved; the order has ended."""

    order_id: Id
    customer_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    shortages: tuple[Shortage, ...]


@event("order.cancelled", topic=ORDER_EVENTS, key="order_id")
class OrderCancelled(Event):
    """The order was cancelled before shipping; its reserved stock is to be released."""

    order_id: Id
    customer_id: Id
    reason: Literal["timeout", "customer", "staff"] = Field(examples=["timeout"])
    note: str | None = Field(default=None, examples=["Ordered twice by mistake."])


@event("order.amended", topic=ORDER_EVENTS, key="order_id")
class OrderAmended(Event):
    """The order is to be amended to this: stock is to be reserved in place of that of the revision it ``replaces``.

    Until the order has accepted or refused the new revision, what is reserved for the old one stays reserved.
    """

    order_id: Id
    customer_id: Id
    revision: int = Field(examples=[2])
    replaces: int = Field(examples=[1])
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    total: Money
    shipping_address: Address
    billing_address: Address | None = None


@event("order.amendment_accepted", topic=ORDER_EVENTS, key="order_id")
class AmendmentAccepted(Event):
    """The amendment is accepted: the order is now this, and all of it is reserved."""

    order_id: Id
    customer_id: Id
    revision: int = Field(examples=[2])
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    total: Money
    shipping_address: Address
    billing_address: Address | None = None


@event("order.amendment_refused", topic=ORDER_EVENTS, key="order_id")
class AmendmentRefused(Event):
    """The amendment is refused: its stock could not be reserved, or not in time (no shortages).

    The order stays as it was.

    ``revision`` is the refused one, ``lines`` what it would have been; stock reserved for it, now or later, is to be
    released.
    """

    order_id: Id
    customer_id: Id
    revision: int = Field(examples=[2])
    shortages: tuple[Shortage, ...]
    lines: tuple[PricedLine, ...] = ()


@event("order.shipped", topic=ORDER_EVENTS, key="order_id")
class OrderShipped(Event):
    """A shipment of this revision was dispatched; ``complete`` when nothing of the order is left to ship."""

    order_id: Id
    customer_id: Id
    revision: int = Field(default=1, examples=[1])
    shipment_id: Id
    carrier: str = Field(examples=["DHL"])
    tracking_number: str = Field(examples=["00340434161094042557"])
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    complete: bool = Field(examples=[True])
    shipping_address: Address


@event("order.missing_requested", topic=ORDER_EVENTS, key="order_id")
class MissingRequested(Event):
    """Pieces that were reserved for the order were lost (``stock.lost``), and are to be reserved once more."""

    order_id: Id
    customer_id: Id
    revision: int = Field(examples=[1])


@event("order.remainder_cancelled", topic=ORDER_EVENTS, key="order_id")
class RemainderCancelled(Event):
    """What was left to ship of a partly shipped order was cancelled; its reserved stock is to be released.

    It happens to an order once at most. ``lines`` are not part of the order any more, and ``amount`` is their price;
    ``total`` is that of what was shipped.
    """

    order_id: Id
    customer_id: Id
    revision: int = Field(examples=[1])
    reason: Literal["customer", "staff"] = Field(examples=["customer"])
    note: str | None = Field(default=None, examples=["The last one broke."])
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    amount: Money
    total: Money


@event("order.tracking_corrected", topic=ORDER_EVENTS, key="order_id")
class TrackingCorrected(Event):
    """A parcel in transit has another carrier or tracking number than was published before."""

    order_id: Id
    customer_id: Id
    shipment_id: Id
    correction_id: Id
    carrier: str = Field(examples=["DHL"])
    tracking_number: str = Field(examples=["00340434161094042558"])
    lines: tuple[PricedLine, ...] = Field(min_length=1)


@event("order.parcel_delivered", topic=ORDER_EVENTS, key="order_id")
class ParcelDelivered(Event):
    """A parcel has arrived."""

    order_id: Id
    customer_id: Id
    shipment_id: Id
    lines: tuple[Line, ...] = Field(min_length=1)


@event("order.parcel_failed", topic=ORDER_EVENTS, key="order_id")
class ParcelFailed(Event):
    """A parcel does not arrive: lost by the carrier, refused, or undeliverable. ``refund`` is what is in it.

    Nothing of it is on hand: if it comes back, ``order.parcel_returned`` says so.
    """

    order_id: Id
    customer_id: Id
    shipment_id: Id
    carrier: str = Field(examples=["DHL"])
    tracking_number: str = Field(examples=["00340434161094042557"])
    reason: Literal["lost", "refused", "undeliverable"] = Field(examples=["lost"])
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    refund: Money


@event("order.parcel_returned", topic=ORDER_EVENTS, key="order_id")
class ParcelReturned(Event):
    """A parcel that failed came back. Its ``lines`` can be sold again, without those that are ``scrapped``."""

    order_id: Id
    customer_id: Id
    shipment_id: Id
    return_id: Id
    lines: tuple[Line, ...] = Field(min_length=1)
    scrapped: tuple[Line, ...] = ()


@event("order.delivered", topic=ORDER_EVENTS, key="order_id")
class OrderDelivered(Event):
    """Everything that is left of the order was delivered; not ``complete`` if some of its parcels failed."""

    order_id: Id
    customer_id: Id
    complete: bool = Field(default=True, examples=[True])


@event("order.undelivered", topic=ORDER_EVENTS, key="order_id")
class OrderUndelivered(Event):
    """Nothing of the order is in transit or left to ship, and all of its parcels failed; the order has ended."""

    order_id: Id
    customer_id: Id


@event("order.returned", topic=ORDER_EVENTS, key="order_id")
class OrderReturned(Event):
    """Lines of a delivered order were returned, and the customer gets ``refund``.

    They can be sold again, without those that are ``scrapped``. ``request_id``: the request that they came back for.
    """

    order_id: Id
    customer_id: Id
    return_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    refund: Money
    reason: str | None = Field(default=None, examples=["Broken on arrival."])
    scrapped: tuple[Line, ...] = ()
    request_id: Id | None = None


@event("order.return_requested", topic=ORDER_EVENTS, key="order_id")
class ReturnRequested(Event):
    """The customer wants to return lines of a delivered order."""

    order_id: Id
    customer_id: Id
    request_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    reason: str | None = Field(default=None, examples=["Broken on arrival."])


@event("order.return_approved", topic=ORDER_EVENTS, key="order_id")
class ReturnApproved(Event):
    """The customer may send these lines; ``note`` is for the customer."""

    order_id: Id
    customer_id: Id
    request_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    note: str | None = Field(default=None, examples=["Please use the label in the parcel."])


@event("order.return_declined", topic=ORDER_EVENTS, key="order_id")
class ReturnDeclined(Event):
    """These lines are not taken back; ``note`` is for the customer."""

    order_id: Id
    customer_id: Id
    request_id: Id
    lines: tuple[PricedLine, ...] = Field(min_length=1)
    note: str | None = Field(default=None, examples=["They were delivered more than a year ago."])
