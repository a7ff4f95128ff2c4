"""Idempotency keys: a request that is sent again gets its first answer again, and nothing happens twice.

The answer is stored in the transaction of what was done. A key belongs to one user and one route, and to the body it
came with. Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Protocol, TypeVar
from uuid import UUID, uuid5

from fastapi import Header
from pydantic import StringConstraints

from chassis.errors import KeyReused
from chassis.examples import ID
from chassis.unit import Rows

Key = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$")]
"""1 to 255 visible ASCII characters."""

IdempotencyKey = Annotated[
    Key | None,
    Header(description="Send the same key to repeat a request safely: the first answer comes again.", examples=[ID]),
]

_SCOPE = UUID("0b9ff0b8-53c5-5a0e-8a3f-3d4d1d1f0c9a")


@dataclass(frozen=True, slots=True)
class Claim:
    """One use of a key: ``id`` stands for user, route and key; ``fingerprint`` for the body."""

    id: UUID
    fingerprint: str


def claim(user: UUID, route: str, key: str, body: str) -> Claim:
    """The use of a key for a body by a user."""
    return Claim(uuid5(_SCOPE, f"{user} {route} {key}"), hashlib.sha256(body.encode()).hexdigest())


class Remembered(Protocol):
    """The first answer to a claim, as a service keeps it."""

    @property
    def fingerprint(self) -> str:
        """Of the body that was answered so."""


R = TypeVar("R", bound=Remembered)


def once(answered: Rows[UUID, R], claim: Claim, act: Callable[[], R]) -> tuple[R, bool]:
    """The answer to a claim, and whether it is a repeated one; raise ``KeyReused`` for another body.

    ``act`` does it the first time, and returns what to remember.
    """
    known = answered.find(claim.id)
    if known is None:
        first = act()
        answered.put(claim.id, first)
        return first, False
    if known.fingerprint != claim.fingerprint:
        raise KeyReused
    return known, True
