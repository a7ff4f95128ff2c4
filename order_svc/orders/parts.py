"""The parts of an order beside its lines: a pending amendment, shipments, a cancelled remainder, returns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from schemas import Address, Line, Money, PricedLine

ANONYMOUS_TRACKING_NUMBER = "-"
"""Replaces the tracking numbers of an erased customer's parcels: a carrier knows the recipient by the real one."""


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


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel on its way to the customer."""

    id: UUID
    carrier: str
    tracking_number: str
    lines: tuple[Line, ...]
    at: datetime


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
    """What came back from a delivered order."""

    id: UUID
    lines: tuple[Line, ...]
    refund: Money
    reason: str | None
    at: datetime
