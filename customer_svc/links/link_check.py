"""Whose link a request uses: one check for every route that takes a token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends
from pydantic import SecretStr

from chassis.link_tokens import Purpose
from customer_svc.audit_log.recording import RequestAudit
from customer_svc.container import ClientAddress, Database, Throttle
from customer_svc.errors import LinkInvalid
from customer_svc.links.domain import Link
from customer_svc.links.queries import usable_link


class LinkCheck:
    """Finds links, and limits how often somebody can try."""

    def __init__(
        self, client_address: ClientAddress, database: Database, throttle: Throttle, audit: RequestAudit
    ) -> None:
        self._client_address, self._database = client_address, database
        self._throttle, self._audit = throttle, audit

    @asynccontextmanager
    async def link(self, token: SecretStr, purpose: Purpose) -> AsyncIterator[Link]:
        """The link, to be used inside: what is raised there counts as a wrong attempt.

        Raise ``LinkInvalid`` and ``TooManyAttempts``.
        """
        async with self._throttle.link_attempt(self._client_address):
            link = await usable_link(self._database, token.get_secret_value(), purpose)
            if link is None:
                raise LinkInvalid
            self._audit.subject = link.account_id
            yield link


Links = Annotated[LinkCheck, Depends()]
