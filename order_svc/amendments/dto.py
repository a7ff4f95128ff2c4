"""The REST body of an amendment."""

from typing import Annotated, cast

from pydantic import ConfigDict, Field, model_validator

from chassis.http.addresses import AddressBody
from chassis.http.bodies import RequestBody
from order_svc.orders.dto import LineBodies, as_address, as_quantities
from schemas import Address


class AmendmentBody(RequestBody):
    """What an order is to become; fields that are not sent stay as they are. `lines` replaces all lines."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    lines: LineBodies = Field(default_factory=list)
    shipping_address: AddressBody = Field(default_factory=lambda: cast(AddressBody, None))
    billing_address: Annotated[AddressBody | None, Field(description="null: the shipping address")] = None

    @model_validator(mode="after")
    def _not_empty(self) -> "AmendmentBody":
        if not self.model_fields_set:
            raise ValueError("the amendment changes nothing")
        return self

    def quantities(self) -> dict[str, int] | None:
        """SKU → quantity; None to keep the lines."""
        return as_quantities(self.lines) if self.lines else None

    def addresses(self) -> dict[str, Address | None]:
        """The addresses to change."""
        names = self.model_fields_set & {"shipping_address", "billing_address"}
        return {name: as_address(getattr(self, name)) for name in names}
