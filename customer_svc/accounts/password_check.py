"""Whose password a request has: one check for routes without an access token, and one for those with.

The first kind is a log-in to an attacker: it has the limits of one, and an account whose address is not verified is
answered as if it did not exist. The second asks for the password once more, so that an unlocked device is not enough.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from pydantic import SecretStr

from customer_svc.accounts.domain import Account
from customer_svc.accounts.queries import account_by_email, account_by_id
from customer_svc.audit_log.recording import RequestAudit
from customer_svc.container import ClientAddress, Database, PasswordHasher, Throttle
from customer_svc.errors import WrongCredentials, WrongPassword


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


class OwnPasswordCheck:
    """Checks the password of somebody who has an access token."""

    def __init__(
        self, client_address: ClientAddress, database: Database, hasher: PasswordHasher, throttle: Throttle
    ) -> None:
        self._client_address, self._database = client_address, database
        self._hasher, self._throttle = hasher, throttle

    async def account(self, account_id: UUID, password: SecretStr) -> Account:
        """Their account; raise ``NotFound``, ``WrongPassword`` and ``TooManyAttempts``.

        Only a wrong password counts: what is refused after that is no attempt to guess one.
        """
        account = await account_by_id(self._database, account_id)
        async with self._throttle.password_attempt(account.email, self._client_address):
            if not await self._hasher.matches(password.get_secret_value(), account.password_hash):
                raise WrongPassword
        return account


OwnCheck = Annotated[OwnPasswordCheck, Depends()]
