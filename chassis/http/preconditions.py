"""Entity tags and ``If-Match`` (RFC 9110 §8.8.3, §13.1.1): no client overwrites a change that it has not seen."""

from typing import Annotated
from uuid import UUID

from fastapi import Header

from chassis.http.errors import ShopError

ANY = "*"
"""The condition that always holds."""
QUOTE, MARK = '"', "."
"""What ends a tag, and what separates the version from the representation in it: versions have no dots."""

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
    """The strong entity tag of a version, which a response to GET extends (``revalidation``)."""
    return f'"{version}"'


def representation_tag(version_tag: str | None, representation: str) -> str:
    """The strong entity tag of a representation, of a version or of what has none."""
    return f'{version_tag.removesuffix(QUOTE)}{MARK}{representation}"' if version_tag else f'"{representation}"'


def unchanged_since(if_match: str | None, version: Version) -> None:
    """Raise ``PreconditionRequired`` without a condition, ``PreconditionFailed`` where it does not hold.

    What a tag says of the representation is not compared: a change overwrites nothing but the version.
    A weak tag never matches, and neither does a malformed list.
    """
    if if_match is None:
        raise PreconditionRequired
    # Our own tags have no commas, so a list can be split at them.
    given = {_of_version(tag.strip()) for tag in if_match.split(",")}
    if given != {ANY} and etag(version) not in given:
        raise PreconditionFailed


def _of_version(tag: str) -> str:
    version, mark, _ = tag.rpartition(MARK)
    return version + QUOTE if mark and tag.endswith(QUOTE) else tag
