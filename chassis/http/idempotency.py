"""Idempotency keys: a repeated request gets the first response again, and nothing happens twice.

The response is stored in the transaction of the change. A key belongs to one user, one route and one body.

Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeVar
from uuid import UUID, uuid5

from fastapi import Header
from pydantic import StringConstraints

from chassis.http.errors import IdempotencyKeyReused
from chassis.http.examples import ID
from chassis.persistence.unit_of_work import IdentityMap

Key = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
"""1 to 255 visible ASCII characters."""

IdempotencyKey = Annotated[
    Key | None,
    Header(
        description="Send the same key to repeat a request safely: the first response is returned again.",
        examples=[ID],
    ),
]

_SCOPE = UUID("0b9ff0b8-53c5-5a0e-8a3f-3d4d1d1f0c9a")


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One use of a key: ``id`` stands for user, route and key; ``fingerprint`` for the body."""

    id: UUID
    fingerprint: str


def key_use(user: UUID, route: str, key: str, body: str) -> KeyUse:
    """The use of a key for a body by a user."""
    return KeyUse(uuid5(_SCOPE, f"{user} {route} {key}"), hashlib.sha256(body.encode()).hexdigest())


class StoredResponse(Protocol):
    """The first response to a use of a key, as a service stores it."""

    @property
    def fingerprint(self) -> str:
        """Of the request body."""


R = TypeVar("R", bound=StoredResponse)


def earlier_response(responses: IdentityMap[UUID, R], use: KeyUse) -> R | None:
    """The response that an earlier use of a key got, if any; raise ``IdempotencyKeyReused`` for another body."""
    known = responses.get(use.id)
    if known and known.fingerprint != use.fingerprint:
        raise IdempotencyKeyReused
    return known
