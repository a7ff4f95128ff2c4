"""Postal addresses in bodies."""

from typing import Any

import pytest
from pydantic import ValidationError

from chassis.http.addresses import NEEDED, AddressBody, AddressOut, address_out
from schemas import Address
from schemas.values import NO_POSTAL_CODE

LONDON = {"name": "Ada", "street": "12 St James's Square", "city": "London", "postal_code": "SW1Y", "country": "GB"}
SPRINGFIELD = {"name": "Ada", "street": "1 Main St", "city": "Springfield", "country": "US"}
MORE = {"company": "Engines Ltd", "line2": "Flat 3", "region": "Greater London", "phone": "+442079460000"}


def refused(body: dict[str, Any]) -> list[tuple[str, str, str]]:
    with pytest.raises(ValidationError) as error:
        AddressBody.model_validate(body)
    return [("/".join(map(str, one["loc"])), one["type"], one["msg"]) for one in error.value.errors()]


def test_what_a_country_needs_is_named_by_field_and_in_words() -> None:
    assert refused(SPRINGFIELD) == [
        ("postal_code", NEEDED, "An address in US needs a postal code"),
        ("region", NEEDED, "An address in US needs a region (state)"),
    ]
    assert refused({**LONDON, "postal_code": None}) == [
        ("postal_code", NEEDED, "An address in GB needs a postal code")
    ]


@pytest.mark.parametrize(
    "complete",
    [
        LONDON,
        LONDON | MORE,
        SPRINGFIELD | {"region": "Illinois", "postal_code": "62701"},
        {"name": "Ada", "street": "1 Nathan Rd", "city": "Tsim Sha Tsui", "region": "Kowloon", "country": "HK"},
        {"name": "Ada", "street": "Villa 4, Al Wasl Rd", "city": "Dubai", "region": "Dubai", "country": "AE"},
        {"name": "Ada", "street": "1 St", "city": "Nowhere", "country": "XX"},
        {"name": "Ada", "street": "1 Nathan Rd", "city": "Kowloon", "region": "Kowloon", "country": "HK"}
        | {"postal_code": "00000"},
    ],
)
def test_an_address_with_what_its_country_needs_reaches_events_and_responses(complete: dict[str, Any]) -> None:
    value = AddressBody.model_validate(complete).as_value()
    assert Address.model_validate_json(value.model_dump_json()) == value
    assert value.postal_code == complete.get("postal_code", NO_POSTAL_CODE)
    everything = dict.fromkeys(AddressOut.model_fields)
    assert address_out(value).model_dump() == everything | complete


@pytest.mark.parametrize("field", sorted(MORE))
@pytest.mark.parametrize("wrong", ["", " \u200b", "a\nb", "x" * 201, 5, ["a"]])
def test_an_optional_field_is_one_visible_line(field: str, wrong: Any) -> None:
    assert [place for place, _, _ in refused(LONDON | {field: wrong})] == [field]


def test_a_body_with_the_fields_of_old_has_the_same_text_as_ever() -> None:
    """The fingerprint of a request is made of it: a repeated request may come after an upgrade."""
    text = AddressBody.model_validate(LONDON).model_dump_json()
    assert text == (
        '{"name":"Ada","street":"12 St James\'s Square","city":"London","postal_code":"SW1Y","country":"GB"}'
    )
