"""A request of the Postman collection, and what its answer is held to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["nobody", "customer", "staff", "ops", "leaver"]
"""Whose token goes along. The leaver is the customer who is erased in the end."""


@dataclass(frozen=True)
class Step:
    """One request. Names in braces, in the path and in the body, are variables of the collection.

    What is asked of the mail sink is in no OpenAPI document.
    """

    name: str
    route: str
    """As the OpenAPI document has it: ``GET /v1/orders/{order_id}``."""
    status: int
    who: Role = "nobody"
    body: Any = None
    """JSON; or lines of text, with their ``media`` type."""
    media: str = "application/json"
    """Of the body; of the answer, where that can have several."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the path, where they are not the collection's."""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Variable → where it is in the answer (JavaScript, of ``body``)."""
    told: tuple[str, ...] = ()
    """Headers that the answer must have."""
    holds: Mapping[str, str] = field(default_factory=dict)
    """What is tested beside status, media type and fields: name → JavaScript that is true, of ``body``."""
    until: str = ""
    """Ask again, for a while, until this JavaScript is true of ``body``: events take their time."""


TAG = {"If-Match": "{{etag}}"}
"""The header of a request that changes what the one before it has read."""
