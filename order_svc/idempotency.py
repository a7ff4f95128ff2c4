"""Idempotency keys: a request that is sent again gets its first answer again, and nothing happens twice.

The key is stored beside the order, in its transaction. It belongs to one user and one route, and to the
body it came with. Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID, uuid5

from fastapi import Header

from chassis.examples import ID
from chassis.idempotency import Key
from order_svc.errors import KeyReused
from order_svc.store import Answered, OrderBook

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


def once(book: OrderBook, claim: Claim, act: Callable[[], tuple[UUID, str]]) -> tuple[Answered, bool]:
    """The answer to a claim, and whether it is a repeated one; raise ``KeyReused`` for another body.

    ``act`` does it the first time, and returns the order's id and the answer to remember.
    """
    known = book.answered.find(claim.id)
    if known is None:
        answered = Answered(claim.id, claim.fingerprint, *act())
        book.answered.put(claim.id, answered)
        return answered, False
    if known.fingerprint != claim.fingerprint:
        raise KeyReused
    return known, True
