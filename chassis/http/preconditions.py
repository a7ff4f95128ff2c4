"""Entity tags and ``If-Match`` (RFC 9110 §8.8.3, §13.1.1): nobody overwrites a change that they have not seen."""

from typing import Annotated

from fastapi import Header

from chassis.http.errors import ShopError

ANY = "*"
"""The condition that always holds."""

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="the `ETag` that was read; `*` changes it whatever it is", examples=['"3"']),
]
"""A parameter of a route that changes something: None where the header is missing."""


class PreconditionFailed(ShopError):
    """It was changed since you read it; read it again."""

    status, code = 412, "precondition_failed"


class PreconditionRequired(ShopError):
    """Say what you have read: send its "ETag" as "If-Match"."""

    status, code = 428, "precondition_required"


def etag(version: object) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def unchanged_since(if_match: str | None, version: object) -> None:
    """Raise ``PreconditionRequired`` without a condition, ``PreconditionFailed`` where it does not hold.

    A weak tag never holds, and what is no list of tags holds for nothing.
    """
    if if_match is None:
        raise PreconditionRequired
    # Our own tags have no commas, so a list can be parted at them.
    told = {tag.strip() for tag in if_match.split(",")}
    if told != {ANY} and etag(version) not in told:
        raise PreconditionFailed
