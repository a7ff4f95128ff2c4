"""Checks access tokens in the services that do not issue them, with what customer_svc publishes."""

import asyncio
from typing import Any
from urllib.parse import urljoin

import httpx
import structlog
from pydantic import ValidationError

from chassis.http.auth import Principal, Verifier
from chassis.http.errors import Unavailable
from chassis.http.revoked_tokens import FILE, RevokedTokens, RevokedTokensOut
from chassis.http.tls import tls_context

log = structlog.get_logger()

REFRESH_SECONDS = 5.0
"""How long a withdrawn key or a revoked token is still accepted, at most."""
TIMEOUT_SECONDS = 3.0


class RemoteVerifier(Verifier):
    """Knows the public keys at ``jwks_url``, and the revoked tokens that are published next to them.

    Both are read again every ``REFRESH_SECONDS``, and never for a request: a check is a look-up in memory. While
    customer_svc does not respond, the last ones are used: tokens expire soon, and nobody gets new ones meanwhile. A
    process that could not read them yet accepts no token (``Unavailable``).
    """

    def __init__(self, jwks_url: str, issuer: str, audience: str) -> None:
        super().__init__(self._read_keys, issuer, audience)
        self._jwks_url, self._revoked_url = jwks_url, urljoin(jwks_url, FILE)
        self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, verify=tls_context())
        self._revoked: RevokedTokens | None = None
        self._first_read = asyncio.Lock()
        self._refreshing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read keys and revoked tokens again and again."""
        self._refreshing = asyncio.create_task(self._refresh_forever(), name="access token status")

    async def is_revoked(self, principal: Principal) -> bool:
        """Whether the token of this principal was revoked; raise ``Unavailable`` if that is not known yet."""
        revoked = self._revoked or await self._read_first()
        return revoked.include(principal)

    async def refresh(self) -> None:
        """Read the keys and the revoked tokens now; raise ``Unavailable``."""
        await self.refresh_keys()
        self._revoked = await self._read_revoked()

    async def close(self) -> None:
        """Stop reading, and close the connection."""
        if self._refreshing:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        await self._client.aclose()

    async def _refresh_forever(self) -> None:
        away = False
        while True:
            # Not at once: the first token that has to be checked causes the first read.
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.refresh()
                away = False
            except Unavailable as error:
                if not away:
                    log.warning("access tokens are checked with the keys and revocations of earlier", why=str(error))
                away = True

    async def _read_first(self) -> RevokedTokens:
        async with self._first_read:
            if self._revoked is None:
                self._revoked = await self._read_revoked()
            return self._revoked

    async def _read_keys(self) -> dict[str, Any]:
        try:
            return dict((await self._get(self._jwks_url)).json())
        except ValueError as error:
            raise Unavailable("The keys that verify access tokens cannot be read.") from error

    async def _read_revoked(self) -> RevokedTokens:
        try:
            found = RevokedTokensOut.model_validate_json((await self._get(self._revoked_url)).content)
        except ValidationError as error:
            raise Unavailable("The list of revoked access tokens cannot be read.") from error
        return RevokedTokens(found.accounts, frozenset(found.sessions))

    async def _get(self, url: str) -> httpx.Response:
        try:
            response = await self._client.get(url)
            response.raise_for_status()
        except httpx.HTTPError as error:
            raise Unavailable("The keys that verify access tokens are not available right now.") from error
        return response
