"""What an order may have beside its lines: an amendment that waits, shipments, returns."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from schemas import Address, Line, Money, PricedLine

UNTOLD = "-"
"""The tracking number of a parcel that went to an erased customer: by the true one a carrier knows whose it was."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an order is to become once all of it is reserved.

    ``alone``: the revision before it was refused, so there is nothing that the order could stay.
    """

    revision: int
    lines: tuple[PricedLine, ...]
    total: Money
    shipping_address: Address
    billing_address: Address | None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Shipment:
    """A parcel that left the house."""

    id: UUID
    carrier: str
    tracking_number: str
    lines: tuple[Line, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Return:
    """What came back of a delivered order."""

    id: UUID
    lines: tuple[Line, ...]
    refund: Money
    reason: str | None
    at: datetime
