"""Bodies of profiles and addresses."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.fields import VISIBLE, Street
from customer_svc.accounts.domain import SavedAddress
from customer_svc.accounts.dto import Id, Locale, Name, Phone
from customer_svc.profiles.domain import USES, Use
from schemas import Address
from schemas.values import Text

City = Annotated[Text, Field(min_length=1, max_length=100, examples=["London"]), VISIBLE]
PostalCode = Annotated[Text, Field(min_length=1, max_length=20, examples=["SW1Y 4JH"]), VISIBLE]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["GB"])]
Uses = Annotated[list[Use], Field(max_length=2, examples=[["shipping", "billing"]])]


class ProfileChange(RequestBody):
    """The fields to change; fields that are not sent stay as they are. A phone number of ``null`` is removed."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # These defaults are never used: see changes().
    name: Name = Field(default_factory=str)
    phone: Phone | None = None
    locale: Locale = Field(default_factory=str)
    marketing: bool = Field(default_factory=bool)
    order_updates: bool = Field(default_factory=bool)

    @model_validator(mode="after")
    def _changes_something(self) -> "ProfileChange":
        if not self.model_fields_set:
            raise ValueError("there are no changes")
        return self

    def changes(self) -> dict[str, Any]:
        """The fields that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class AddressIn(RequestBody):
    """An address, and what it is to be the default for."""

    name: Name
    street: Street
    city: City
    postal_code: PostalCode
    country: Country
    default_for: Uses

    def address(self) -> Address:
        """The address as events contain it."""
        return Address.model_validate(self.model_dump(exclude={"default_for"}))


class AddressOut(ResponseBody):
    """One of your own addresses. If there are any, one is the default for each use."""

    id: Id
    name: Name
    street: Street
    city: City
    postal_code: PostalCode
    country: Country
    default_for: Uses


class AddressesOut(ResponseBody):
    """All your addresses, oldest first."""

    items: list[AddressOut]


def address_out(address: SavedAddress) -> AddressOut:
    """The body of an address."""
    uses = [use for use in USES if getattr(address, use)]
    return AddressOut(id=address.id, default_for=uses, **address.address.model_dump())
