"""A stored response: what a repeated request gets again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The first response to a request; ``id`` stands for user, route and key."""

    id: UUID
    fingerprint: str
    """Of the request body."""
    response: str
    """The response body, as JSON."""
    until: datetime
    """When it may be deleted."""
