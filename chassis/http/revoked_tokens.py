"""The access tokens that were revoked before they expire: customer_svc publishes them, the other services read them.

Everybody can read the list, like the public keys, so it names accounts and sessions by digests of their ids: only who
knows an id can tell whether it is there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http.auth import CACHED_TOKENS, Principal
from chassis.http.bodies import ResponseBody

FILE = "revoked-tokens.json"
"""The last part of the list's path; it is next to the public keys."""
EVERY_EPOCH = 2**31 - 1
"""The epoch of an account that does not exist any more: all its tokens are revoked."""


class RevokedTokensOut(ResponseBody):
    """What revokes access tokens before they expire, as far as tokens may still exist."""

    accounts: Annotated[
        dict[str, Annotated[int, Field(ge=0)]],
        Field(
            description="digest of an account's id → its epoch; its tokens of earlier epochs are revoked",
            examples=[{"1f0c4b7a9d2e85f3a6c07d41b9e83256": 3}],
        ),
    ]
    sessions: Annotated[
        list[str],
        Field(
            description="digests of the ids of sessions that have ended",
            examples=[["8b1d60c5e7f2439a0c9e5d7b3a14f682"]],
        ),
    ]


@dataclass(frozen=True, slots=True)
class RevokedTokens:
    """The list, for look-ups."""

    accounts: Mapping[str, int]
    sessions: frozenset[str]

    def include(self, principal: Principal) -> bool:
        """Whether the token of this principal was revoked."""
        if self.sessions and principal.session_id and digest(principal.session_id) in self.sessions:
            return True
        return bool(self.accounts) and principal.epoch < self.accounts.get(digest(principal.id), 0)


@lru_cache(maxsize=2 * CACHED_TOKENS)
def digest(account_or_session_id: UUID) -> str:
    """The first half of the SHA-256 of an id, in hexadecimal. The ids have 74 random bits: they cannot be guessed."""
    return sha256(account_or_session_id.bytes).hexdigest()[:32]
