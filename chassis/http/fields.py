"""Types of fields that the request bodies and query parameters of several services share."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from schemas.currencies import MINOR_UNITS


def _known_currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise PydanticCustomError("unknown_currency", "There is no such currency in ISO 4217")
    return code


CurrencyCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    AfterValidator(_known_currency),
    Field(json_schema_extra={"enum": sorted(MINOR_UNITS)}),
]
"""The code of a currency that is in use (ISO 4217): what an amount in minor units means depends on it."""
