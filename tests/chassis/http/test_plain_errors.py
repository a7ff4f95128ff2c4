"""Errors of validation, as people read them."""

import re
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from chassis.http.addresses import Country
from chassis.http.fields import Name, Phone
from chassis.http.plain_errors import PATTERNS, in_words
from customer_svc.accounts.dto import Locale, NewPassword
from schemas.values import Sku


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    phone: Phone = "+442079460000"
    password: NewPassword = Field(default="correct horse battery", validate_default=True)
    sku: Sku = "MUG"
    name: Name = "Ada"
    country: Country = "GB"
    locale: Locale = "en"
    quantity: Annotated[int, Field(ge=1, le=100)] = 1
    lines: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    state: Literal["on", "off"] = "on"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("phone", "020 7946 0000", "Must be a phone number with a plus sign and the country code"),
        ("password", "short", "Needs at least 12 characters"),
        ("password", "x" * 201, "Has more than 200 characters"),
        ("password", "tab\tin a password", "A password has no control characters"),
        ("sku", "a mug", "Must be 1 to 64 letters, digits, dots, dashes and underscores"),
        ("name", "", "Must not be empty"),
        ("name", "x" * 201, "Has more than 200 characters"),
        ("name", "a\x00b", "Must be one line of text, without control characters"),
        ("country", "gb", "Must be a country code of two capital letters"),
        ("locale", "German", "Must be a language code"),
        ("quantity", 0, "Must be at least 1"),
        ("quantity", 101, "Must be at most 100"),
        ("quantity", "two", "Must be a whole number"),
        ("lines", [], "Must not be empty"),
        ("lines", [1, 2, 3], "Has more than 2 entries"),
        ("state", "broken", "Must be 'on' or 'off'"),
        ("sise", 1, "Is not a field of this request"),
    ],
)
def test_a_constraint_is_said_in_words(field: str, value: Any, sentence: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Body.model_validate({field: value})
    [error] = refused.value.errors()
    words = in_words(error)
    assert words.startswith(sentence)
    assert not re.search(r"[\\^$]|pattern|Input|String|Value error", words)


def test_every_pattern_is_one() -> None:
    assert all(re.compile(pattern) and sentence.startswith("Must be ") for pattern, sentence in PATTERNS.items())
