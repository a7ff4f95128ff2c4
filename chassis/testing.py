"""For the tests of every service: tokens, a client for an app in this process, events as Kafka delivers them."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from joserfc.jwk import OKPKey
from uuid_utils.compat import uuid7

from chassis.http.auth import Issuer, Principal, Role, Verifier
from chassis.http.remote_verifier import RemoteVerifier
from chassis.messaging.records import KafkaRecord
from schemas import Envelope, Event, Message, encode

_OFFSETS = count()

LINK_KEY = "a key of links for tests, and nothing else"
AUDIENCES = ("customer_svc", "product_svc", "order_svc", "notifier_svc")
"""All services, which access tokens are for."""


@cache
def private_key() -> bytes:
    """The key that signs the tokens of this test run."""
    return OKPKey.generate_key("Ed25519").as_pem(private=True)


def issuer(**changes: Any) -> Issuer:
    """An issuer of access tokens; ``changes`` make its tokens invalid."""
    rules: dict[str, Any] = {
        "private_key": private_key(),
        "issuer": "shopstream",
        "audiences": AUDIENCES,
        "seconds": 86_400,  # a slow test must not outlive its token
    }
    return Issuer(**(rules | changes))


async def test_keys() -> dict[str, Any]:
    """The public keys of this test run, as customer_svc would publish them."""
    return issuer().jwks()


def bearer(
    principal_id: UUID | None = None, role: Role = "customer", *, verified: bool = True, **changes: Any
) -> dict[str, str]:
    """The header that authenticates a principal."""
    token = issuer(**changes).issue(Principal(principal_id or uuid7(), role, verified))
    return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[Any]:
    """An app that runs in this process and accepts the tokens of this test run; yields its container."""
    async with app.router.lifespan_context(app):
        if isinstance(app.state.container.verifier, RemoteVerifier):
            # Nobody publishes keys to it here.
            accept_test_tokens(app)
        yield app.state.container


def accept_test_tokens(app: FastAPI) -> None:
    """Let an app that has started accept the tokens of this test run, if they are for its service."""
    container = app.state.container
    verifier = Verifier(test_keys, "shopstream", container.verifier.audience)
    app.state.container = replace(container, verifier=verifier)


class AppClient(httpx.AsyncClient):
    """A client of an app that runs in this process."""

    app: FastAPI


@asynccontextmanager
async def client(app: FastAPI) -> AsyncIterator[AppClient]:
    """A client of an app that runs in this process and accepts the tokens of this test run."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        running(app),
        AppClient(transport=transport, base_url="http://test") as made,
    ):
        made.app = app
        yield made


def enveloped(event: Event, version: int = 1, at: datetime | None = None, event_id: UUID | None = None) -> Message:
    """An event as another service would have put it in its outbox."""
    moment = at or datetime.now(UTC)
    return encode(Envelope(event_id or uuid7(), event.source, moment, version, event))


def record(message: Message, partition: int = 0) -> KafkaRecord:
    """A message as Kafka would deliver it."""
    headers = tuple((name, value.encode()) for name, value in message.headers.items())
    return KafkaRecord(message.topic, partition, next(_OFFSETS), message.key.encode(), headers, message.value)


def records(events: Iterable[Event]) -> list[KafkaRecord]:
    """Events as Kafka would deliver them."""
    return [record(enveloped(event)) for event in events]
