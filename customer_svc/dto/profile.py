"""What customers say about themselves."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from chassis.http.bodies import RequestBody, ResponseBody
from customer_svc.domain.address import USES, Entry, Use
from customer_svc.dto.accounts import Id, Locale, Name, Phone
from schemas import Address
from schemas.values import Text

Street = Annotated[Text, Field(min_length=1, max_length=200, examples=["12 St James's Square"])]
City = Annotated[Text, Field(min_length=1, max_length=100, examples=["London"])]
PostalCode = Annotated[Text, Field(min_length=1, max_length=20, examples=["SW1Y 4JH"])]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["GB"])]
Uses = Annotated[list[Use], Field(max_length=2, examples=[["shipping", "billing"]])]


class ProfileChange(RequestBody):
    """What is to be changed; what is left out stays. A phone number of ``null`` is forgotten."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # None of these defaults is ever looked at: see changes().
    name: Name = Field(default_factory=str)
    phone: Phone | None = None
    locale: Locale = Field(default_factory=str)
    marketing: bool = Field(default_factory=bool)
    order_updates: bool = Field(default_factory=bool)

    @model_validator(mode="after")
    def _changes_something(self) -> "ProfileChange":
        if not self.model_fields_set:
            raise ValueError("nothing is to be changed")
        return self

    def changes(self) -> dict[str, Any]:
        """Those that were sent."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class AddressBody(RequestBody):
    """An address, and what it is to be the default for."""

    name: Name
    street: Street
    city: City
    postal_code: PostalCode
    country: Country
    default_for: Uses

    def address(self) -> Address:
        """As the domain has it."""
        return Address.model_validate(self.model_dump(exclude={"default_for"}))


class AddressOut(ResponseBody):
    """An address of one's own. Whenever there are any, one is the default for each use."""

    id: Id
    name: Name
    street: Street
    city: City
    postal_code: PostalCode
    country: Country
    default_for: Uses


class AddressesOut(ResponseBody):
    """All of one's addresses, oldest first."""

    items: list[AddressOut]


def address_out(entry: Entry) -> AddressOut:
    """An address as its owner sees it."""
    uses = [use for use in USES if getattr(entry, use)]
    return AddressOut(id=entry.id, default_for=uses, **entry.address.model_dump())
