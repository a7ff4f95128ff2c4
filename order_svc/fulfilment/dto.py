"""The REST bodies of shipments."""

from typing import Annotated

from pydantic import Field

from chassis.http.bodies import RequestBody
from chassis.http.fields import VISIBLE
from order_svc.orders.dto import LineBodies, as_quantities
from schemas.values import Text


class ShipmentBody(RequestBody):
    """A parcel with these lines, or, without lines, with all that is left of the order."""

    carrier: Annotated[Text, Field(min_length=1, max_length=60, examples=["DHL"]), VISIBLE]
    tracking_number: Annotated[Text, Field(min_length=1, max_length=100, examples=["00340434161094042557"]), VISIBLE]
    lines: LineBodies | None = None

    def quantities(self) -> dict[str, int] | None:
        """SKU → quantity; None for all that is left."""
        return None if self.lines is None else as_quantities(self.lines)
