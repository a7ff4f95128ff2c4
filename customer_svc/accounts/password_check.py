"""Whose e-mail address and password a request without an access token has: one check for every route that takes them.

Each such route is a log-in to an attacker: it has the limits of one, and an account whose address is not verified is
answered as if it did not exist.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends

from customer_svc.accounts.domain import Account
from customer_svc.accounts.queries import account_by_email
from customer_svc.audit_log.recording import RequestAudit
from customer_svc.container import ClientAddress, Database, PasswordHasher, Throttle
from customer_svc.errors import WrongCredentials


class PasswordCheck:
    """Checks e-mail address and password."""

    def __init__(
        self,
        client_address: ClientAddress,
        database: Database,
        hasher: PasswordHasher,
        throttle: Throttle,
        audit: RequestAudit,
    ) -> None:
        self._client_address, self._database = client_address, database
        self._hasher, self._throttle, self._audit = hasher, throttle, audit

    @asynccontextmanager
    async def account(self, email: str, password: str) -> AsyncIterator[Account]:
        """The account; what is raised inside counts as a wrong attempt.

        Raise ``WrongCredentials``, which takes as long if there is no account, and ``TooManyAttempts``.
        """
        async with self._throttle.log_in_attempt(email, self._client_address):
            found = await account_by_email(self._database, email)
            self._audit.subject = found.id if found else None
            right = await self._hasher.matches(password, found.password_hash if found else None)
            if not right or found is None or found.verified_at is None:
                raise WrongCredentials
            yield found

    async def remember(self, account: Account) -> None:
        """Note that the owner of the account comes from this network."""
        await self._throttle.remember(account.id, self._client_address)


Check = Annotated[PasswordCheck, Depends()]
