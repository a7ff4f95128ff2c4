"""Postal addresses in mails, in the order of their country."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from unicodedata import name

from chassis.postal_addresses import country_rules
from notifier_svc.rendering.locales import country_name
from schemas.values import NO_POSTAL_CODE

PARTS: Mapping[str, str] = {
    "N": "name",
    "O": "company",
    "A": "street",
    "C": "city",
    "S": "region",
    "Z": "postal_code",
}
"""The letter of a format → the field of an address. ``A`` is the street with the second line."""
_PART = re.compile("%([A-Z])")


def address_lines(address: Mapping[str, Any], locale: str) -> list[str]:
    """The lines of an address, the last with the name of the country.

    What the country's format has no place for is left out only if the lines say it anyway.
    """
    rules, values = country_rules(address["country"]), _values(address)
    latin = _is_latin(values["street"] + values["city"])
    pattern = rules.latin_format if latin else rules.local_format
    text = _filled_in(pattern, values)
    if "%C" not in pattern and values["city"].casefold() not in text.casefold():
        text = _filled_in(pattern, values | {"street": _with_city(pattern, values)})
    rest = [value for value in values.values() if value.casefold() not in text.casefold()]
    # The format of Jersey has a line with that name, which comes last here.
    named = country_name(address["country"], "en").casefold()
    lines = [line for line in text.split("\n") if line and line.casefold() != named]
    return [*lines, *rest, country_name(address["country"], locale)]


def _values(address: Mapping[str, Any]) -> dict[str, str]:
    values = {field: address.get(field) or "" for field in PARTS.values()}
    if values["postal_code"] == NO_POSTAL_CODE:
        values["postal_code"] = ""
    if line2 := address.get("line2"):
        values["street"] = f"{values['street']}\n{line2}"
    return values


def _with_city(pattern: str, values: Mapping[str, str]) -> str:
    """Street and city, the larger first where the region comes before the street."""
    places = [values["street"], values["city"]]
    return "\n".join(reversed(places) if pattern.find("%S") < pattern.find("%A") else places)


def _filled_in(pattern: str, values: Mapping[str, str]) -> str:
    return "\n".join(_line(line, values) for line in pattern.split("%n"))


def _line(pattern: str, values: Mapping[str, str]) -> str:
    """A line, without the separators around parts that the address does not have."""
    separator, *others = _PART.split(pattern)
    line = ""
    for part, after in zip(others[::2], others[1::2], strict=True):
        if value := values.get(PARTS.get(part, "")):
            line += (separator if line or _is_text(separator) else "") + value
        separator = after
    return line + separator if _is_text(separator) else line


def _is_text(separator: str) -> bool:
    """Whether it says something by itself, such as ``SINGAPORE`` or the sign of Japanese postal codes."""
    return bool(separator.strip(" ,-"))


@lru_cache(4096)
def _is_latin(text: str) -> bool:
    return all(name(one, "").startswith("LATIN") for one in text if one.isalpha())
