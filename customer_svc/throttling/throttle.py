"""Limits how often somebody can try a password, use a link, request a mail or register.

The counts are rows in the database, so that all processes share them. An attempt is counted before the password is
checked, and refunded if it was right: otherwise concurrent attempts would not be limited.

What strangers do must not keep the owner out: an account is counted by the network that attempts come from. All
networks together have a limit as well, which holds back an attacker who has many; the networks that the owner has
used have one of their own.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from chassis.persistence.postgres.database import Postgres
from customer_svc.throttling.domain import Limit, email_digest, network, site
from customer_svc.throttling.store import charge, forget, is_known, refund, remember

CHANGES = Limit(3, 1200.0)
"""Mails about a change of address that an account can have sent, and that can be sent to an address, which may be
a stranger's: three at once, then one in twenty minutes."""


class Throttle:
    """Counts attempts by account and by the client's network."""

    def __init__(self, database: Postgres, per_account: Limit, per_address: Limit, registrations: Limit) -> None:
        self._database, self._per_account, self._per_address = database, per_account, per_address
        self._registrations = registrations

    @asynccontextmanager
    async def log_in_attempt(self, email: str, client_address: str) -> AsyncIterator[None]:
        """Count an attempt of anybody, and refund it unless the context raises; raise ``TooManyAttempts``."""
        limits = self._of_client(client_address) | self._of_account("account", email, client_address)
        # One more count in either case: an answer that comes sooner would reveal who uses this network.
        whose = "owner" if await is_known(self._database, email, network(client_address)) else "strangers"
        limits[f"{whose} {email_digest(email)}"] = self._per_account.wider
        async with self._attempt(limits):
            yield

    @asynccontextmanager
    async def password_attempt(self, email: str, client_address: str) -> AsyncIterator[None]:
        """The same for somebody with an access token, whom strangers cannot hold up."""
        limits = self._of_client(client_address) | self._of_account("account", email, client_address)
        async with self._attempt(limits):
            yield

    async def remember(self, account_id: UUID, client_address: str) -> None:
        """Note that a client in this network has proved to be the owner of the account."""
        await remember(self._database, account_id, network(client_address))

    async def forget(self, account_id: UUID) -> None:
        """Note that the account was in other hands, so that none of its networks is known to be the owner's."""
        await forget(self._database, account_id)

    @asynccontextmanager
    async def link_attempt(self, client_address: str) -> AsyncIterator[None]:
        """Count the use of a link, and refund it unless the context raises; raise ``TooManyAttempts``."""
        async with self._attempt(self._of_client(client_address)):
            yield

    async def mail_request(self, email: str, client_address: str) -> None:
        """Count a request for a mail; raise ``TooManyAttempts``.

        The account itself sees to it that its owner gets few mails, however many are requested.
        """
        limits = self._of_client(client_address) | self._of_account("mail", email, client_address)
        await charge(self._database, limits)

    async def email_change(self, account_id: UUID, email: str, client_address: str) -> None:
        """Count a request to change an account's address to this one; raise ``TooManyAttempts``.

        However many networks and accounts they come from: nobody but the owner needs such a mail.
        """
        subjects = (f"change {account_id}", f"change {email_digest(email)}")
        await charge(self._database, self._of_client(client_address) | dict.fromkeys(subjects, CHANGES))

    async def registration(self, client_address: str) -> None:
        """Count a registration; raise ``TooManyAttempts``."""
        await charge(self._database, _by_network("register ", client_address, self._registrations))

    @asynccontextmanager
    async def _attempt(self, limits: Mapping[str, Limit]) -> AsyncIterator[None]:
        await charge(self._database, limits)
        yield
        await refund(self._database, limits)

    def _of_client(self, client_address: str) -> dict[str, Limit]:
        return _by_network("", client_address, self._per_address)

    def _of_account(self, kind: str, email: str, client_address: str) -> dict[str, Limit]:
        return {f"{kind} {email_digest(email)} {network(client_address)}": self._per_account}


def _by_network(kind: str, client_address: str, limit: Limit) -> dict[str, Limit]:
    limits = {f"{kind}{network(client_address)}": limit}
    if around := site(client_address):
        limits[f"{kind}{around}"] = limit.wider
    return limits
