"""Postal addresses in the bodies of requests and responses.

Which fields an address needs depends on its country. Whether a postal code looks right does not matter here: every
list of patterns refuses some that exist.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.fields import VISIBLE, Name, Phone, Street
from chassis.postal_addresses import country_rules
from schemas import Address
from schemas.values import NO_POSTAL_CODE, Text, is_absent

NEEDED = "needed_in_country"
"""The type of the error about a field that addresses in a country need."""

Company = Annotated[Text, Field(min_length=1, max_length=200, examples=["Analytical Engines Ltd"]), VISIBLE]
SecondLine = Annotated[Text, Field(min_length=1, max_length=200, examples=["Flat 3"]), VISIBLE]
City = Annotated[Text, Field(min_length=1, max_length=100, examples=["London"]), VISIBLE]
Region = Annotated[Text, Field(min_length=1, max_length=100, examples=["California"]), VISIBLE]
PostalCode = Annotated[Text, Field(min_length=1, max_length=20, examples=["SW1Y 4JH"]), VISIBLE]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["GB"])]

_COMPANY = "the company at this address"
_SECOND_LINE = "flat, floor, building, or care of"
_REGION = "state, province, emirate, prefecture or the like"
_NEEDED = ", needed where addresses of the country have one"


class AddressBody(RequestBody):
    """A postal address. Whether it needs a region and a postal code depends on its country."""

    name: Name
    street: Street
    city: City
    postal_code: Annotated[PostalCode | None, Field(description=f"postal code{_NEEDED}")] = None
    country: Country
    # Absent fields are not dumped: a request that was made before there were any has the same fingerprint still.
    company: Annotated[Company | None, Field(description=_COMPANY, exclude_if=is_absent)] = None
    line2: Annotated[SecondLine | None, Field(description=_SECOND_LINE, exclude_if=is_absent)] = None
    region: Annotated[Region | None, Field(description=_REGION + _NEEDED, exclude_if=is_absent)] = None
    phone: Annotated[Phone | None, Field(description="for the carrier, E.164", exclude_if=is_absent)] = None

    @model_validator(mode="after")
    def _has_what_its_country_needs(self) -> Self:
        if missing := list(self._missing()):
            raise ValidationError.from_exception_data(type(self).__name__, missing)
        return self

    def _missing(self) -> Iterator[InitErrorDetails]:
        rules = country_rules(self.country)
        words = {"postal_code": "a postal code", "region": f"a region ({rules.region_kind})"}
        for field in sorted(rules.required):
            if getattr(self, field) is None:
                text = "An address in {country} needs {field}"
                error = PydanticCustomError(NEEDED, text, {"country": self.country, "field": words[field]})
                yield InitErrorDetails(type=error, loc=(field,), input=None)

    def as_value(self) -> Address:
        """The address as orders and events contain it."""
        fields = {name: getattr(self, name) for name in Address.model_fields}
        # Its fields were checked; the other checks of events are weaker.
        return Address.model_construct(**fields | {"postal_code": self.postal_code or NO_POSTAL_CODE})


class AddressOut(ResponseBody):
    """A postal address."""

    name: Annotated[str, Field(examples=["Ada Lovelace"])]
    company: Annotated[str | None, Field(description=_COMPANY, examples=["Analytical Engines Ltd"])]
    street: Annotated[str, Field(examples=["12 St James's Square"])]
    line2: Annotated[str | None, Field(description=_SECOND_LINE, examples=["Flat 3"])]
    city: Annotated[str, Field(examples=["London"])]
    region: Annotated[str | None, Field(description=_REGION, examples=["California"])]
    postal_code: Annotated[str | None, Field(description="null where the address has none", examples=["SW1Y 4JH"])]
    country: Annotated[str, Field(examples=["GB"])]
    phone: Annotated[str | None, Field(description="for the carrier, E.164", examples=["+442079460000"])]


def address_fields(address: Address) -> dict[str, Any]:
    """The values of ``AddressOut``."""
    code = address.postal_code
    return {**address.__dict__, "postal_code": None if code == NO_POSTAL_CODE else code}


def address_out(address: Address) -> AddressOut:
    """The body of an address."""
    return AddressOut.model_construct(**address_fields(address))


def optional_address_out(address: Address | None) -> AddressOut | None:
    """An address as clients see it, where there is one."""
    return address_out(address) if address else None
