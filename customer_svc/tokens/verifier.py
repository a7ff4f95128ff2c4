"""Checks access tokens where they are issued, and keeps the list of revoked tokens for the other services."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from chassis.http.auth import LEEWAY_SECONDS, Principal, Verifier
from chassis.http.revoked_tokens import RevokedTokensOut
from chassis.persistence.postgres.database import Postgres
from customer_svc.tokens import queries

CACHE_SECONDS = 1.0
"""How often the list is read from the database at most, however many ask for it."""
CLOCK_SECONDS = 60.0
"""How far the clocks of processes may be apart: the list names what revoked tokens for that much longer."""


class AccountVerifier(Verifier):
    """Looks at the account and the session of every token: here a revocation holds at once."""

    def __init__(
        self, keys: Callable[[], Awaitable[dict[str, Any]]], issuer: str, audience: str, database: Postgres
    ) -> None:
        super().__init__(keys, issuer, audience)
        self._database = database

    async def is_revoked(self, principal: Principal) -> bool:
        """Whether the token of this principal was revoked; raise ``DatabaseUnavailable``."""
        return await queries.is_revoked(self._database, principal)


class RevocationList:
    """The revoked tokens that have not expired; ``token_seconds`` is how long a token lives."""

    def __init__(self, database: Postgres, token_seconds: int) -> None:
        self._database, self._seconds = database, token_seconds + LEEWAY_SECONDS + CLOCK_SECONDS
        self._reading, self._read_at = asyncio.Lock(), -CACHE_SECONDS
        self._body = RevokedTokensOut(accounts={}, sessions=[])

    async def read(self) -> RevokedTokensOut:
        """The list, which is at most ``CACHE_SECONDS`` old; raise ``DatabaseUnavailable``."""
        async with self._reading:
            if time.monotonic() - self._read_at >= CACHE_SECONDS:
                # The time before the query: what is committed during it may be missing.
                began = time.monotonic()
                self._body = await queries.revoked_tokens(self._database, self._seconds)
                self._read_at = began
            return self._body
