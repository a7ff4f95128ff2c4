"""Authentication: access tokens issued by customer_svc, verified by every service with its public keys.

JWT (RFC 7519) signed with Ed25519 (RFC 8037) and nothing else; ``iss aud sub exp iat jti`` are required.
The keys are published as a JWKS (RFC 7517) and cached here.
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

import httpx
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey
from uuid_utils.compat import uuid7

from chassis.http.errors import EmailNotVerified, Forbidden, Unauthenticated, Unavailable
from chassis.http.tls import tls_context

Role = Literal["customer", "staff", "ops"]

ALGORITHM = "Ed25519"
LEEWAY_SECONDS = 5
MAX_TOKEN = 4096
CACHED_TOKENS = 10_000
BAD_TOKEN = (JoseError, ValueError, TypeError, RecursionError, OverflowError)
"""What the library raises for tokens that are not as they should be, some of them by accident."""
REFETCH_SECONDS = 10.0
"""An unknown key id makes us fetch the keys anew, but not more often than this."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent the request."""

    id: UUID
    role: Role
    verified: bool = False
    """Whether the e-mail address of the account was verified when the token was issued."""
    expires_at: float = field(default=math.inf, compare=False)
    """When the access token expires, in seconds since 1970: a streamed response must not last longer."""


class Issuer:
    """Makes access tokens with the private key (PEM, Ed25519)."""

    def __init__(self, private_key: bytes, issuer: str, audience: str, seconds: int) -> None:
        key = OKPKey.import_key(private_key)
        self._key = OKPKey.import_key(key.as_dict(private=True) | {"kid": key.thumbprint(), "use": "sig"})
        self._issuer, self._audience, self.seconds = issuer, audience, seconds

    def issue(self, principal: Principal) -> str:
        """A token that says who its bearer is, for ``seconds``."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(principal.id),
            "role": principal.role,
            "verified": principal.verified,
            "iat": now,
            "exp": now + self.seconds,
            "jti": str(uuid7()),
        }
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])

    def jwks(self) -> dict[str, Any]:
        """The public keys, for ``/.well-known/jwks.json``."""
        return {"keys": [{**self._key.as_dict(private=False), "alg": ALGORITHM}]}


class RemoteKeys:
    """The JWKS that another service publishes at ``url``."""

    def __init__(self, url: str) -> None:
        self._url, self._client = url, httpx.AsyncClient(timeout=3.0, verify=tls_context())

    async def fetch(self) -> dict[str, Any]:
        """The keys as they are now; raise ``Unavailable``."""
        try:
            response = await self._client.get(self._url)
            response.raise_for_status()
            return dict(response.json())
        except (httpx.HTTPError, ValueError) as error:
            raise Unavailable("The keys that verify access tokens are not available right now.") from error

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


class Verifier:
    """Checks access tokens; remembers those it has checked until they expire."""

    def __init__(self, keys: Callable[[], Awaitable[dict[str, Any]]], issuer: str, audience: str) -> None:
        self._fetch, self._keys = keys, KeySet([])
        self._fetched_at = -REFETCH_SECONDS
        self._fetching = asyncio.Lock()
        self._known: OrderedDict[str, Principal] = OrderedDict()
        self._rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            jti={"essential": True},
            role={"essential": True, "values": list(get_args(Role))},
        )

    async def principal(self, token: str) -> Principal:
        """Who the token speaks for; raise ``Unauthenticated`` for any token that is not good now."""
        known = self._known.get(token)
        if known and known.expires_at > time.time():
            return known
        if len(token) > MAX_TOKEN:
            raise Unauthenticated("The access token is longer than any we issue.")
        claims = await self._claims(token)
        try:
            verified = claims.get("verified") is True
            principal = Principal(UUID(claims["sub"]), claims["role"], verified, float(claims["exp"]))
        except ValueError as error:
            raise Unauthenticated("The access token is not valid: subject.") from error
        self._known[token] = principal
        if len(self._known) > CACHED_TOKENS:
            self._known.popitem(last=False)
        return principal

    async def _claims(self, token: str) -> dict[str, Any]:
        keys = self._keys
        try:
            return self._checked(token)
        except BAD_TOKEN:
            # The key may be newer than our copy of the keys.
            if not await self._newer_than(keys):
                raise
            return self._checked(token)

    def _checked(self, token: str) -> dict[str, Any]:
        decoded = jwt.decode(token, self._keys, algorithms=[ALGORITHM])
        self._rules.validate(decoded.claims)
        return decoded.claims

    async def _newer_than(self, keys: KeySet) -> bool:
        async with self._fetching:
            # A request that waited here before this one may have fetched them.
            if self._keys is keys and time.monotonic() - self._fetched_at >= REFETCH_SECONDS:
                self._keys = KeySet.import_key_set(await self._fetch())  # type: ignore[arg-type]
                self._fetched_at = time.monotonic()
            return self._keys is not keys


class Bearer(HTTPBearer):
    """A dependency: the principal that sent this request, if it has one of the ``roles``; else 401 or 403.

    ``verified`` asks for an account with a verified e-mail address as well.

    It is the security scheme itself and not one built on it: each dependency costs every request some 50 µs.
    """

    def __init__(self, *roles: Role, verified: bool = False) -> None:
        super().__init__(
            scheme_name="HTTPBearer", description="The access token from POST /v1/sessions of customer_svc."
        )
        self._roles, self._verified = roles, verified

    async def __call__(self, request: Request) -> Principal:  # type: ignore[override]
        """Raise ``Unauthenticated``, ``Forbidden`` or ``EmailNotVerified``."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated
        verifier: Verifier = request.app.state.container.verifier
        try:
            principal = await verifier.principal(token)
        except BAD_TOKEN as error:
            reason = getattr(error, "error", "malformed")
            raise Unauthenticated(f"The access token is not valid: {reason}.") from error
        if self._roles and principal.role not in self._roles:
            raise Forbidden(f"This needs the role {' or '.join(self._roles)}.")
        if self._verified and not principal.verified:
            raise EmailNotVerified
        return principal


Authenticated = Annotated[Principal, Depends(Bearer())]
Customer = Annotated[Principal, Depends(Bearer("customer"))]
VerifiedCustomer = Annotated[Principal, Depends(Bearer("customer", verified=True))]
Staff = Annotated[Principal, Depends(Bearer("staff"))]
Ops = Annotated[Principal, Depends(Bearer("ops"))]
