"""How often one may try a password, or register: so many times at once, then one every so often.

The counts are rows of the database, by its clock, so that all processes share them. The algorithm is GCRA (ATM
Forum TM 4.0 §4.4.2): a row holds when its subject would be as if it had never tried. A try is counted before the
password is looked at, and given back where it was right: tries at once do not slip through.
"""

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from customer_svc.domain.account import normalised
from customer_svc.errors import TooManyTries

_CHARGE = sa.text(
    "INSERT INTO throttles AS t (subject, free_at) VALUES (:subject, now() + make_interval(secs => :every))"
    " ON CONFLICT (subject) DO UPDATE SET free_at = greatest(t.free_at, now()) + make_interval(secs => :every)"
    " WHERE t.free_at <= now() + make_interval(secs => :room) RETURNING true"
)
_WAIT = sa.text("SELECT extract(epoch FROM free_at - now()) FROM throttles WHERE subject = :subject")
_GIVE_BACK = sa.text(
    "UPDATE throttles SET free_at = free_at - make_interval(secs => :every) WHERE subject = :subject"
)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many tries at once, and then one every so many seconds."""

    tries: int
    every: float


class Throttle:
    """Counts tries, by whatever is tried and by whoever tries."""

    def __init__(self, database: Postgres, per_account: Limit, per_address: Limit, registrations: Limit) -> None:
        self._database, self._per_account, self._per_address = database, per_account, per_address
        self._registrations = registrations

    @asynccontextmanager
    async def trying(self, email: str, address: str) -> AsyncIterator[None]:
        """Count a try of a password, and give it back unless what happens inside raises; raise ``TooManyTries``."""
        limits = self._limits("account", email, address)
        await self._charge(limits)
        yield
        async with self._database.reading() as connection:
            for subject, limit in limits.items():
                await connection.execute(_GIVE_BACK, {"subject": subject, "every": limit.every})

    async def asked(self, email: str, address: str) -> None:
        """Count that a mail was asked for; raise ``TooManyTries``."""
        await self._charge(self._limits("mail", email, address))

    async def registering(self, address: str) -> None:
        """Count that somebody registers, at an address of the network; raise ``TooManyTries``."""
        await self._charge({f"register {network(address)}": self._registrations})

    def _limits(self, what: str, email: str, address: str) -> dict[str, Limit]:
        return {network(address): self._per_address, f"{what} {_blurred(email)}": self._per_account}

    async def _charge(self, limits: Mapping[str, Limit]) -> None:
        async with self._database.reading() as connection:
            for subject, limit in limits.items():
                room = limit.every * (limit.tries - 1)
                given = {"subject": subject, "every": limit.every, "room": room}
                if not await connection.scalar(_CHARGE, given):
                    wait = await connection.scalar(_WAIT, {"subject": subject})
                    raise TooManyTries(retry_after=max(1, math.ceil(float(wait or 0) - room)))


def network(address: str) -> str:
    """Whose address it is: one subscriber has at least 2**64 of IPv6 (RFC 6177)."""
    try:
        known = ip_address(address)
    except ValueError:
        return "nowhere"
    return str(known if known.version == 4 else ip_network((known, 64), strict=False))


def _blurred(email: str) -> str:
    """What is counted by is no list of the addresses that people tried."""
    return sha256(normalised(email).encode(errors="surrogatepass")).hexdigest()
