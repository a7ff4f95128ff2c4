"""Entity tags and ``If-Match`` (RFC 9110 §8.8.3, §13.1.1): no client overwrites a change that it has not seen."""

from typing import Annotated
from uuid import UUID

from fastapi import Header

from chassis.http.errors import ShopError

ANY = "*"
"""The condition that always holds."""

Version = int | str | UUID
"""What an entity tag names. Not None, which would read `"None"`."""

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="the `ETag` that was read; `*` matches any version", examples=['"3"']),
]
"""A parameter of a route that changes something: None where the header is missing."""


class PreconditionFailed(ShopError):
    """The resource was changed since you read it; read it again."""

    status, code = 412, "precondition_failed"


class PreconditionRequired(ShopError):
    """Send the "ETag" that you have read as "If-Match"."""

    status, code = 428, "precondition_required"


def etag(version: Version) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def unchanged_since(if_match: str | None, version: Version) -> None:
    """Raise ``PreconditionRequired`` without a condition, ``PreconditionFailed`` where it does not hold.

    A weak tag never matches, and neither does a malformed list.
    """
    if if_match is None:
        raise PreconditionRequired
    # Our own tags have no commas, so a list can be split at them.
    given = {tag.strip() for tag in if_match.split(",")}
    if given != {ANY} and etag(version) not in given:
        raise PreconditionFailed
