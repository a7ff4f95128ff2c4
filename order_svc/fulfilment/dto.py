"""The bodies by which orders are shipped and come back."""

from typing import Annotated

from pydantic import Field

from chassis.http.bodies import RequestBody
from order_svc.domain import summed
from order_svc.dto import LineBodies, as_lines
from schemas.values import Text


class ShipmentBody(RequestBody):
    """A parcel, with all that is left of the order, or with these lines."""

    carrier: Annotated[Text, Field(min_length=1, max_length=60, examples=["DHL"])]
    tracking_number: Annotated[Text, Field(min_length=1, max_length=100, examples=["00340434161094042557"])]
    lines: LineBodies | None = None

    def quantities(self) -> dict[str, int] | None:
        """SKU → quantity; None for all that is left."""
        return None if self.lines is None else summed(as_lines(self.lines))


class ReturnBody(RequestBody):
    """Lines that came back."""

    lines: LineBodies
    reason: Annotated[Text, Field(min_length=1, max_length=500, examples=["Broken on arrival."])] | None = None

    def quantities(self) -> dict[str, int]:
        """SKU → quantity."""
        return summed(as_lines(self.lines))
