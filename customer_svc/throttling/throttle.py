"""Limits how often somebody can try a password, request a mail or register.

The counts are rows in the database, so that all processes share them. An attempt is counted before the password is
checked, and refunded if it was right: otherwise concurrent attempts would not be limited.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.persistence.postgres.database import Postgres
from customer_svc.throttling.domain import Limit, email_digest, network
from customer_svc.throttling.store import charge, refund


class Throttle:
    """Counts attempts by account and by the client's network."""

    def __init__(self, database: Postgres, per_account: Limit, per_address: Limit, registrations: Limit) -> None:
        self._database, self._per_account, self._per_address = database, per_account, per_address
        self._registrations = registrations

    @asynccontextmanager
    async def password_attempt(self, email: str, client_address: str) -> AsyncIterator[None]:
        """Count an attempt, and refund it unless the context raises; raise ``TooManyAttempts``."""
        limits = self._limits("account", email, client_address)
        await charge(self._database, limits)
        yield
        await refund(self._database, limits)

    async def mail_request(self, email: str, client_address: str) -> None:
        """Count a request for a mail; raise ``TooManyAttempts``."""
        await charge(self._database, self._limits("mail", email, client_address))

    async def registration(self, client_address: str) -> None:
        """Count a registration; raise ``TooManyAttempts``."""
        await charge(self._database, {f"register {network(client_address)}": self._registrations})

    def _limits(self, kind: str, email: str, client_address: str) -> dict[str, Limit]:
        return {network(client_address): self._per_address, f"{kind} {email_digest(email)}": self._per_account}
