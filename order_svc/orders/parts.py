"""The parts of an order beside its lines: a pending amendment, shipments, a cancelled remainder, returns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from schemas import Address, Line, Money, PricedLine

ShipmentStatus = Literal["in_transit", "delivered", "failed", "came_back"]
FailureReason = Literal["lost", "refused", "undeliverable"]
RequestStatus = Literal["requested", "approved", "declined", "received"]
OPEN_REQUESTS: frozenset[RequestStatus] = frozenset({"requested", "approved"})
"""The statuses of requests whose pieces are still to come back."""

ANONYMOUS_TRACKING_NUMBER = "-"
"""Replaces the tracking numbers of an erased customer's parcels: a carrier knows the recipient by the real one."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Pieces that were reserved and were lost in the warehouse: what the newest event about them says.

    ``lines`` is empty once all is reserved again. ``version`` is that of the reservation, and ``at`` is since when
    pieces are missing.
    """

    lines: tuple[Line, ...]
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an order becomes once stock for all of it is reserved.

    ``original_rejected``: stock for the original revision was refused, so the order cannot fall back to it.
    """

    revision: int
    lines: tuple[PricedLine, ...]
    total: Money
    shipping_address: Address
    billing_address: Address | None
    original_rejected: bool = False
    missing: Missing | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel: it is in transit until it is delivered or fails, and then it may come back.

    ``changed_at`` is when its status changed; ``refund`` is what was in a parcel that failed.
    """

    id: UUID
    carrier: str
    tracking_number: str
    lines: tuple[Line, ...]
    at: datetime
    status: ShipmentStatus = "in_transit"
    changed_at: datetime | None = None
    failure_reason: FailureReason | None = None
    refund: Money | None = None


@dataclass(frozen=True, slots=True)
class CancelledRemainder:
    """What was left to ship of a partly shipped order when that was cancelled; ``amount`` is its price.

    The lines and the total of the order are without it.
    """

    lines: tuple[PricedLine, ...]
    amount: Money
    reason: Literal["customer", "staff"]
    note: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Return:
    """What came back: lines of a delivered order, or a parcel that failed (``shipment_id``), without a refund here.

    Its ``lines`` can be sold again, without those that are ``scrapped``.
    """

    id: UUID
    lines: tuple[Line, ...]
    refund: Money
    reason: str | None
    at: datetime
    shipment_id: UUID | None = None
    scrapped: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class ReturnRequest:
    """What a customer wants to return: staff approve or decline it, and what was approved is received.

    ``reason`` is the customer's, ``note`` that of the staff; ``changed_at`` is when its status changed.
    """

    id: UUID
    lines: tuple[Line, ...]
    reason: str | None
    status: RequestStatus
    note: str | None
    at: datetime
    changed_at: datetime
