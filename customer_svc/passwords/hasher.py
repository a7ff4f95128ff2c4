"""Password hashing with Argon2id: outside of the event loop, and only a few at the same time."""

import asyncio

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

TIME_COST, MEMORY_KIB = 2, 19_456
"""With one lane, parameters of the OWASP Password Storage Cheat Sheet."""
MAX_CONCURRENT = 4
"""Each hash takes 19 MiB and a core: more at the same time would only be slower, and block other work."""
MAX_REGISTRATIONS = 2
"""Anybody can register without knowing a password, so registrations leave room for log-ins."""
MAX_LINKS = 1
"""In addition to those: passwords that are set with links, and log-ins, do not wait for each other."""


class PasswordHasher:
    """Makes and checks password hashes."""

    def __init__(self) -> None:
        self._hasher = PasswordHash([Argon2Hasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=1)])
        self._dummy = self._hasher.hash("nobody's password")
        self._slots, self._registrations = asyncio.Semaphore(MAX_CONCURRENT), asyncio.Semaphore(MAX_REGISTRATIONS)
        self._links = asyncio.Semaphore(MAX_LINKS)

    async def hash(self, password: str) -> str:
        """The hash to store."""
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def hash_for_registration(self, password: str) -> str:
        """The same for a registration; however many there are, other requests do not wait for all of them."""
        async with self._registrations:
            return await self.hash(password)

    async def hash_for_link(self, password: str) -> str:
        """The same for a request with a mailed link, which must have been found to fit."""
        async with self._links:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether the password is right. It takes as long if there is no account (``stored`` is None)."""
        async with self._slots:
            good = await asyncio.to_thread(self._hasher.verify, password, stored or self._dummy)
        return good and stored is not None
