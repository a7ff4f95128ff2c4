"""Authentication: access tokens issued by customer_svc, verified by every service with its public keys.

JWT (RFC 7519) signed with Ed25519 (RFC 8037) and nothing else; ``iss aud sub exp iat jti`` are required.
``aud`` names the services that a token is for, and each service accepts those that name it. ``epoch`` and ``sid``
(the session) say what revokes a token before it expires. The keys are published as a JWKS (RFC 7517).
"""

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey
from uuid_utils.compat import uuid7

from chassis.http.errors import EmailNotVerified, Forbidden, Unauthenticated, Unavailable
from chassis.runtime.security_log import ROLE_EXCEEDED, count_security_event

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
    epoch: int = field(default=0, compare=False)
    """The epoch of the account when the token was issued; a later one revokes it."""
    session_id: UUID | None = field(default=None, compare=False)
    """The session that the token belongs to; its end revokes the token."""


class Issuer:
    """Makes access tokens with the private key (PEM, Ed25519).

    ``published_keys`` (PEM) are public keys that verifiers should accept as well: the next key, before it signs the
    first token, and the previous one, until its last token has expired.
    """

    def __init__(
        self,
        private_key: bytes,
        issuer: str,
        audiences: Sequence[str],
        seconds: int,
        published_keys: Sequence[bytes] = (),
    ) -> None:
        self._key = _identified(private_key)
        self._published = [self._key, *map(_identified, published_keys)]
        self._issuer, self._audiences, self.seconds = issuer, audiences, seconds

    def issue(self, principal: Principal, seconds: int | None = None, audiences: Sequence[str] | None = None) -> str:
        """A token that says who its bearer is, to these services or to all, for these seconds or the usual time."""
        now = int(time.time())
        claims = {
            "iss": self._issuer,
            "aud": list(self._audiences if audiences is None else audiences),
            "sub": str(principal.id),
            "role": principal.role,
            "verified": principal.verified,
            "epoch": principal.epoch,
            "iat": now,
            "exp": now + (self.seconds if seconds is None else seconds),
            "jti": str(uuid7()),
        }
        if principal.session_id:
            claims["sid"] = str(principal.session_id)
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])

    def jwks(self) -> dict[str, Any]:
        """The public keys, for ``/.well-known/jwks.json``."""
        return {"keys": [{**key.as_dict(private=False), "alg": ALGORITHM} for key in self._published]}


def _identified(pem: bytes) -> OKPKey:
    key = OKPKey.import_key(pem)
    return OKPKey.import_key(key.as_dict(private=key.is_private) | {"kid": key.thumbprint(), "use": "sig"})


class Verifier:
    """Checks access tokens for a service, the ``audience``; remembers those it has checked until they expire.

    A subclass knows which tokens are revoked before they expire; here none are.
    """

    def __init__(self, keys: Callable[[], Awaitable[dict[str, Any]]], issuer: str, audience: str) -> None:
        self.audience = audience
        self._fetch, self._keys = keys, KeySet([])
        self._document: Mapping[str, Any] = {}
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
        if known is None or known.expires_at <= time.time():
            known = await self._verified(token)
        if await self.is_revoked(known):
            raise Unauthenticated("The access token was revoked; log in again.")
        return known

    async def is_revoked(self, _principal: Principal) -> bool:
        """Whether the token of this principal was revoked."""
        return False

    async def refresh_keys(self) -> None:
        """Fetch the keys again: tokens of a key that was withdrawn are not accepted any more.

        Raise ``Unavailable``; then the keys stay as they are.
        """
        document = await self._fetch()
        if document != self._document:
            self._document, self._keys = document, _key_set(document)
            # The key of any of them may be one that is gone.
            self._known.clear()

    async def _verified(self, token: str) -> Principal:
        if len(token) > MAX_TOKEN:
            raise Unauthenticated("The access token is longer than any we issue.")
        claims = await self._claims(token)
        try:
            principal = _principal(claims)
        except ValueError as error:
            raise Unauthenticated("The access token is not valid: claims.") from error
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
                await self.refresh_keys()
                self._fetched_at = time.monotonic()
            return self._keys is not keys


def _key_set(document: Mapping[str, Any]) -> KeySet:
    try:
        return KeySet.import_key_set(document)  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Unavailable("The keys that verify access tokens cannot be read.") from error


def _principal(claims: Mapping[str, Any]) -> Principal:
    """Who a token with these claims speaks for; raise ``ValueError``."""
    # Tokens issued before there were epochs count as of the first: any revocation of the account includes them.
    epoch, session_id = claims.get("epoch", 0), claims.get("sid")
    if type(epoch) is not int or epoch < 0:
        raise ValueError("epoch")
    return Principal(
        UUID(str(claims["sub"])),
        claims["role"],
        claims.get("verified") is True,
        float(claims["exp"]),
        epoch,
        UUID(str(session_id)) if session_id is not None else None,
    )


class Bearer(HTTPBearer):
    """A dependency: the principal that sent this request, if it has one of the ``roles``; else 401 or 403.

    ``verified`` asks for an account with a verified e-mail address as well.

    It is kept as ``principal`` in the request's state, for what is recorded about the request.
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
        request.scope.setdefault("state", {})["principal"] = principal
        if self._roles and principal.role not in self._roles:
            count_security_event(*ROLE_EXCEEDED)
            raise Forbidden(f"This needs the role {' or '.join(self._roles)}.")
        if self._verified and not principal.verified:
            raise EmailNotVerified
        return principal


Authenticated = Annotated[Principal, Depends(Bearer())]
Customer = Annotated[Principal, Depends(Bearer("customer"))]
VerifiedCustomer = Annotated[Principal, Depends(Bearer("customer", verified=True))]
Staff = Annotated[Principal, Depends(Bearer("staff"))]
Ops = Annotated[Principal, Depends(Bearer("ops"))]
