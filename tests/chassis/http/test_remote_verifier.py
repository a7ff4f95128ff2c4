"""A service that does not issue tokens knows within seconds which are revoked, and goes on without customer_svc."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from uuid_utils.compat import uuid7

from chassis.http import remote_verifier
from chassis.http.auth import Principal
from chassis.http.errors import Unauthenticated, Unavailable
from chassis.http.remote_verifier import RemoteVerifier
from chassis.http.revoked_tokens import EVERY_EPOCH, digest
from chassis.testing import issuer


@dataclass
class CustomerService:
    """What customer_svc publishes; it counts the requests."""

    accounts: dict[str, int] = field(default_factory=dict)
    sessions: list[str] = field(default_factory=list)
    keys: dict[str, Any] = field(default_factory=lambda: issuer().jwks())
    answers: bool = True
    requests: list[str] = field(default_factory=list)

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.url.path)
        if not self.answers:
            raise httpx.ConnectError("refused")
        if request.url.path == "/.well-known/jwks.json":
            return httpx.Response(200, json=self.keys)
        assert request.url.path == "/.well-known/revoked-tokens.json"
        return httpx.Response(200, json={"accounts": self.accounts, "sessions": self.sessions})


@pytest.fixture
def customers() -> CustomerService:
    return CustomerService()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys and revocations are read every few milliseconds, not seconds."""
    monkeypatch.setattr(remote_verifier, "REFRESH_SECONDS", 0.01)


@asynccontextmanager
async def verifying(customers: CustomerService) -> AsyncIterator[RemoteVerifier]:
    verifier = RemoteVerifier("http://customer/.well-known/jwks.json", "shopstream", "order_svc")
    await verifier._client.aclose()
    verifier._client = httpx.AsyncClient(transport=httpx.MockTransport(customers.respond))
    yield verifier
    await verifier.close()


def token(person: Principal) -> str:
    return issuer().issue(person)


async def accepted_for_ever(verifier: RemoteVerifier, make_token: Callable[[], str]) -> None:
    """Send a token again and again; raise what refuses it, and after some seconds ``TimeoutError``."""
    async with asyncio.timeout(5):
        while await verifier.principal(make_token()):
            await asyncio.sleep(0.01)


async def test_tokens_are_revoked_by_a_later_epoch_or_by_the_end_of_their_session(customers: CustomerService) -> None:
    person = Principal(uuid7(), "customer", epoch=2, session_id=uuid7())
    other_session = Principal(person.id, "customer", epoch=2, session_id=uuid7())
    erased, stranger = Principal(uuid7(), "customer", epoch=7), Principal(uuid7(), "customer")
    async with verifying(customers) as verifier:
        for one in (person, other_session, erased, stranger):
            assert await verifier.principal(token(one)) == one
        assert person.session_id
        customers.sessions, customers.accounts = [digest(person.session_id)], {digest(erased.id): EVERY_EPOCH}
        await verifier.refresh()
        for one in (person, erased):
            with pytest.raises(Unauthenticated):
                await verifier.principal(token(one))
        assert await verifier.principal(token(other_session)) == other_session
        customers.accounts = {digest(person.id): 3}
        await verifier.refresh()
        with pytest.raises(Unauthenticated):
            await verifier.principal(token(other_session))
        assert await verifier.principal(token(Principal(person.id, "customer", epoch=3))) == person
        assert await verifier.principal(token(stranger)) == stranger


async def test_a_token_that_was_accepted_before_is_refused_after_seconds_without_a_request_to_customer_svc(
    customers: CustomerService, often: None
) -> None:
    person = Principal(uuid7(), "staff")
    sent = token(person)
    async with verifying(customers) as verifier:
        verifier.start()
        await verifier.principal(sent)
        before = len(customers.requests)
        for _ in range(50):
            await verifier.principal(sent)
        assert len(customers.requests) == before
        customers.accounts = {digest(person.id): 1}
        with pytest.raises(Unauthenticated):
            await accepted_for_ever(verifier, lambda: sent)


async def test_a_withdrawn_key_is_refused_after_seconds(customers: CustomerService, often: None) -> None:
    withdrawn = issuer(private_key=OKPKey.generate_key("Ed25519").as_pem(private=True))
    customers.keys = {"keys": withdrawn.jwks()["keys"] + issuer().jwks()["keys"]}
    person = Principal(uuid7(), "ops")
    async with verifying(customers) as verifier:
        verifier.start()
        assert await verifier.principal(withdrawn.issue(person)) == person
        customers.keys = issuer().jwks()
        with pytest.raises((JoseError, ValueError)):
            await accepted_for_ever(verifier, lambda: withdrawn.issue(person))
        assert await verifier.principal(token(person)) == person


async def test_without_customer_svc_the_last_keys_and_revocations_are_used(
    customers: CustomerService, often: None
) -> None:
    good, bad = Principal(uuid7(), "customer"), Principal(uuid7(), "customer")
    customers.accounts = {digest(bad.id): 1}
    async with verifying(customers) as verifier:
        verifier.start()
        await verifier.principal(token(good))
        customers.answers = False
        await asyncio.sleep(0.05)
        assert await verifier.principal(token(good)) == good
        with pytest.raises(Unauthenticated):
            await verifier.principal(token(bad))
        customers.answers, customers.accounts = True, {digest(good.id): 1}
        with pytest.raises(Unauthenticated):
            await accepted_for_ever(verifier, lambda: token(good))


async def test_a_process_that_has_read_no_revocations_yet_accepts_no_token(customers: CustomerService) -> None:
    customers.answers = False
    async with verifying(customers) as verifier:
        with pytest.raises(Unavailable):
            await verifier.principal(token(Principal(uuid7(), "customer")))
        customers.answers = True
        assert (await verifier.principal(token(Principal(uuid7(), "customer")))).role == "customer"
