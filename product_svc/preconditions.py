"""ETag and If-Match (RFC 9110 §8.8.3, §13.1.1): nobody overwrites a change that they have not seen."""

import re
from typing import Annotated

from fastapi import Header

from product_svc.errors import PreconditionFailed, PreconditionRequired

ANY = "*"

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", description="The ETag that was read; `*` for whatever it is now.", examples=['"3"']),
]

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')


def etag(version: object) -> str:
    """The strong entity tag of a version."""
    return f'"{version}"'


def unchanged_since(if_match: str | None, version: object) -> None:
    """Raise ``PreconditionRequired`` without a condition, ``PreconditionFailed`` where it does not hold.

    Weak tags never match (RFC 9110 §8.8.3.2); what is no list of tags has no tag that could.
    """
    if if_match is None:
        raise PreconditionRequired
    if if_match.strip() == ANY:
        return
    if str(version) not in {tag for weak, tag in _TAG.findall(if_match) if not weak}:
        raise PreconditionFailed
