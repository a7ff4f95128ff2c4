"""Bodies of profiles and addresses."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from chassis.http import addresses
from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.fields import Name, Phone
from customer_svc.accounts.domain import SavedAddress
from customer_svc.accounts.dto import Id, Locale, TimeZone, Token
from customer_svc.profiles.domain import USES, Use

Uses = Annotated[list[Use], Field(max_length=2, examples=[["shipping", "billing"]])]


class ProfileChange(RequestBody):
    """The fields to change; fields that are not sent stay as they are. A phone number or a
    time zone of ``null`` is removed."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # These defaults are never used: see changes().
    name: Name = Field(default_factory=str)
    phone: Phone | None = None
    locale: Locale = Field(default_factory=str)
    marketing: bool = Field(default_factory=bool)
    order_updates: bool = Field(default_factory=bool)
    time_zone: TimeZone | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "ProfileChange":
        if not self.model_fields_set:
            raise ValueError("there are no changes")
        return self

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class Unsubscription(RequestBody):
    """The token of a link in a mail."""

    token: Token


class AddressIn(addresses.AddressBody):
    """An address, and what it is to be the default for."""

    default_for: Uses


class AddressOut(addresses.AddressOut):
    """One of your own addresses. If there are any, one is the default for each use."""

    id: Id
    default_for: Uses


class AddressesOut(ResponseBody):
    """All your addresses, oldest first."""

    items: list[AddressOut]


def address_out(address: SavedAddress) -> AddressOut:
    """The body of an address."""
    uses = [use for use in USES if getattr(address, use)]
    return AddressOut(id=address.id, default_for=uses, **addresses.address_fields(address.address))
