"""A request of the Postman collection, and the tests of its response."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["nobody", "customer", "staff", "ops", "leaver"]
"""The account whose token is sent. The leaver is the customer who is erased at the end."""


@dataclass(frozen=True)
class Step:
    """One request. Names in braces, in the path and in the body, are variables of the collection.

    Requests to the mail sink are not in any OpenAPI document.
    """

    name: str
    route: str
    """As the OpenAPI document has it: ``GET /v1/orders/{order_id}``."""
    status: int
    who: Role = "nobody"
    body: Any = None
    """JSON, or text of the type ``media``."""
    media: str = "application/json"
    """The type of the body; and of the response, if the route has several."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of path parameters that differ from the variables of the collection."""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Variable to set → its value in the response (JavaScript that uses ``body``)."""
    response_headers: tuple[str, ...] = ()
    """Headers that the response must have."""
    holds: Mapping[str, str] = field(default_factory=dict)
    """Further tests: name → JavaScript that must be true and uses ``body``."""
    until: str = ""
    """Repeat the request until this JavaScript, which uses ``body``, is true: events take time."""


TAG = {"If-Match": "{{etag}}"}
"""The header of a request that changes what the request before it has read."""
