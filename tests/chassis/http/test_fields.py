"""The types of fields that several services share."""

from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from chassis.http.fields import MAX_STREET, VISIBLE, Prose, Street
from schemas import Address
from schemas.values import Text

NAME, PROSE, STREET = TypeAdapter(Annotated[Text, VISIBLE]), TypeAdapter(Prose), TypeAdapter(Street)


@pytest.mark.parametrize(
    "blank",
    ["", " ", "\u00a0\u3000", "\u200b", "\u2060\ufeff", "\u00ad", "\u3164", "\u2800 \u115f", "\u0301", "\ufe0f"],
)
def test_a_name_that_cannot_be_seen_is_refused(blank: str) -> None:
    with pytest.raises(ValidationError) as refused:
        NAME.validate_python(blank)
    assert [error["type"] for error in refused.value.errors()] == ["blank"]


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        (" Ada\u3000", "Ada"),
        ("A da", "A da"),
        ("\u674e", "\u674e"),
        ("!", "!"),
        ("\U0001f600", "\U0001f600"),
        ("e\u0301", "e\u0301"),
    ],
)
def test_a_name_loses_the_spaces_around_it(given_name: str, kept: str) -> None:
    assert NAME.validate_python(given_name) == kept


def test_prose_may_have_line_breaks_of_every_kind() -> None:
    assert PROSE.validate_python("a\nb\r\nc\rd\te\r\n\r\n") == "a\nb\nc\nd\te\n\n"


@pytest.mark.parametrize("code", [0, 0x08, 0x0B, 0x0C, 0x1B, 0x7F, 0x85, 0x2028, 0x2029, 0xD800], ids=hex)
def test_prose_has_no_other_controls(code: int) -> None:
    with pytest.raises(ValidationError):
        PROSE.validate_python(f"a{chr(code)}b")


@pytest.mark.parametrize(
    ("given_street", "line"),
    [
        ("12 St James's Square\nFlat 3", "12 St James's Square, Flat 3"),
        ("12 St James's Square,\r\n\r\n Flat 3 ", "12 St James's Square, Flat 3"),
        ("12\tSt", "12 St"),
        ("\n1 St,", "1 St,"),
        ("1 St\n", "1 St"),
    ],
)
def test_a_street_is_on_one_line(given_street: str, line: str) -> None:
    assert STREET.validate_python(given_street) == line


@pytest.mark.parametrize("wrong", ["", " \n ", ",\n ", "x" * 201, "\n".join("x" * 100), "a\u2028b", "a\x0bb"])
def test_a_street_is_visible_and_fits_on_a_line(wrong: str) -> None:
    with pytest.raises(ValidationError):
        STREET.validate_python(wrong)


@given(
    st.text(max_size=MAX_STREET + 5)
    | st.lists(st.sampled_from(["a", " ", "\n", ",", "\t", "\r"]), max_size=205).map("".join)
)
@settings(max_examples=100, deadline=None)
def test_a_street_that_is_taken_fits_into_events(text: str) -> None:
    try:
        street = STREET.validate_python(text)
    except ValidationError:
        return
    Address(name="Ada", street=street, city="London", postal_code="SW1Y", country="GB")
