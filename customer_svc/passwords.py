"""Passwords: hashed with Argon2id, off the event loop, a bounded number at a time.

Parameters: OWASP Password Storage Cheat Sheet (19 MiB, t=2, p=1).
"""

import asyncio

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

AT_ONCE = 4
"""Each hash takes 19 MiB and a core: more at once would only be slower, and starve the rest."""
NEWCOMERS = 2
"""Registrations at once: they need no password that anybody knows, and leave the other places to log-ins."""


class Passwords:
    """Makes and checks password hashes."""

    def __init__(self) -> None:
        self._hasher = PasswordHash([Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1)])
        self._nobody = self._hasher.hash("nobody's password")
        self._slots, self._newcomers = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(NEWCOMERS)

    async def hashed(self, password: str) -> str:
        """The hash to store."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def hashed_for_newcomer(self, password: str) -> str:
        """The same for somebody who registers; however many do, others do not wait for all of them."""
        async with self._newcomers:
            return await self.hashed(password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Is it the password? Takes as long where there is no account, so that time does not tell."""
        async with self._slots:
            good = await asyncio.to_thread(self._hasher.verify, password, stored or self._nobody)
        return good and stored is not None
