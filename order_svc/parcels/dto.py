"""The REST bodies about parcels."""

from typing import Annotated

from pydantic import Field

from chassis.http.bodies import RequestBody
from chassis.http.fields import VISIBLE
from order_svc.orders.dto import LineBody, as_quantities
from order_svc.orders.parts import FailureReason
from schemas.values import Text

MAX_SCRAPPED = 100


class TrackingBody(RequestBody):
    """With whom a parcel really is, and under which number."""

    carrier: Annotated[Text, Field(min_length=1, max_length=60, examples=["DHL"]), VISIBLE]
    tracking_number: Annotated[Text, Field(min_length=1, max_length=100, examples=["00340434161094042558"]), VISIBLE]


class FailureBody(RequestBody):
    """Why a parcel does not arrive: the carrier lost it, the recipient refused it, or it could not be delivered."""

    reason: FailureReason


class ParcelReturnBody(RequestBody):
    """What of a parcel that came back cannot be sold any more; the rest of it is on hand again."""

    scrapped: Annotated[list[LineBody], Field(default_factory=list, max_length=MAX_SCRAPPED)]

    def quantities(self) -> dict[str, int]:
        """SKU → quantity."""
        return as_quantities(self.scrapped)
