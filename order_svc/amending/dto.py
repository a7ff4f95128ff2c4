"""The bodies by which orders are amended and cancelled."""

from typing import Annotated, cast

from pydantic import ConfigDict, Field, model_validator

from chassis.http.bodies import RequestBody
from order_svc.amending.commands import Wish
from order_svc.domain import summed
from order_svc.dto import AddressBody, LineBodies, Notes, as_address, as_lines
from schemas import Address


class AmendmentBody(RequestBody):
    """What an order is to become; what is not sent stays. Lines are all lines that it is to have."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    lines: LineBodies = Field(default_factory=list)
    shipping_address: AddressBody = Field(default_factory=lambda: cast(AddressBody, None))
    billing_address: Annotated[AddressBody | None, Field(description="null: the shipping address")] = None

    @model_validator(mode="after")
    def _something(self) -> "AmendmentBody":
        if not self.model_fields_set:
            raise ValueError("nothing is to be changed")
        return self

    def wish(self) -> Wish:
        """The change as a value."""
        told: dict[str, Address | None] = {}
        for name in ("shipping_address", "billing_address"):
            if name in self.model_fields_set:
                address = getattr(self, name)
                told[name] = address and as_address(address)
        return Wish(summed(as_lines(self.lines)) if self.lines else None, told)


class CancellationBody(RequestBody):
    """Why an order is not wanted any more."""

    note: Notes | None = None
