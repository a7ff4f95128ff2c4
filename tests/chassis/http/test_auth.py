"""Tokens are checked with keys that are fetched when they are needed, once for all requests that wait for them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from uuid_utils.compat import uuid7

from chassis.http.auth import Principal, Verifier
from chassis.http.errors import Unauthenticated, Unavailable
from chassis.testing import issuer, private_key, test_keys


class Keys:
    """The service that publishes keys: slow, and it counts."""

    def __init__(self, *results: Any) -> None:
        self.results, self.fetches = list(results), 0

    async def fetch(self) -> dict[str, Any]:
        self.fetches += 1
        await asyncio.sleep(0.01)
        if self.results and isinstance(result := self.results.pop(0), Exception):
            raise result
        return await test_keys()


def verifier(keys: Keys) -> Verifier:
    return Verifier(keys.fetch, "shopstream", "order_svc")


async def test_all_requests_that_wait_for_the_keys_are_accepted() -> None:
    keys, people = Keys(), [Principal(uuid7(), "customer") for _ in range(20)]
    checks = verifier(keys)
    found = await asyncio.gather(*(checks.principal(issuer().issue(one)) for one in people))
    assert found == people
    assert keys.fetches == 1


async def test_unavailable_keys_are_fetched_again() -> None:
    checks = verifier(Keys(Unavailable()))
    token = issuer().issue(Principal(uuid7(), "staff"))
    with pytest.raises(Unavailable):
        await checks.principal(token)
    assert (await checks.principal(token)).role == "staff"


async def test_forged_tokens_do_not_cause_repeated_fetches() -> None:
    keys = Keys()
    checks = verifier(keys)
    forged = issuer(private_key=other_key()).issue(Principal(uuid7(), "ops"))
    for _ in range(5):
        with pytest.raises(JoseError):
            await checks.principal(forged)
    assert keys.fetches == 1


async def test_a_token_of_a_withdrawn_key_is_refused_once_the_keys_are_fetched_again() -> None:
    old, new = issuer(private_key=other_key()), issuer()
    published = [old.jwks(), new.jwks()]

    async def keys() -> dict[str, Any]:
        return published[0]

    checks = Verifier(keys, "shopstream", "order_svc")
    person = Principal(uuid7(), "customer")
    used, unused = old.issue(person), old.issue(person)
    assert await checks.principal(used) == person
    del published[0]
    await checks.refresh_keys()
    for token in (used, unused, old.issue(person)):
        with pytest.raises((JoseError, ValueError)):
            await checks.principal(token)
    assert await checks.principal(new.issue(person)) == person


async def test_tokens_of_two_keys_are_accepted_while_both_are_published() -> None:
    next_key, key = other_key(), private_key()
    public = OKPKey.import_key(next_key).as_pem(private=False)
    before, after = issuer(published_keys=[public]), issuer(private_key=next_key)

    async def keys() -> dict[str, Any]:
        return before.jwks()

    checks = Verifier(keys, "shopstream", "order_svc")
    assert [one.keys() & {"d"} for one in before.jwks()["keys"]] == [set(), set()]
    for signs in (before, after):
        assert (await checks.principal(signs.issue(Principal(uuid7(), "ops")))).role == "ops"
    assert key not in str(before.jwks()).encode()


async def test_unreadable_keys_leave_the_known_ones_as_they_are() -> None:
    published: list[Any] = [await test_keys(), {"keys": [{"kty": "none"}]}, {}]

    async def keys() -> dict[str, Any]:
        found: dict[str, Any] = published.pop(0)
        return found

    checks = Verifier(keys, "shopstream", "order_svc")
    person = Principal(uuid7(), "customer")
    assert await checks.principal(issuer().issue(person)) == person
    for _ in range(2):
        with pytest.raises(Unavailable):
            await checks.refresh_keys()
    assert await checks.principal(issuer().issue(person)) == person


async def test_a_token_says_in_which_epoch_and_session_it_was_issued() -> None:
    session_id = uuid7()
    checks = verifier(Keys())
    found = await checks.principal(issuer().issue(Principal(uuid7(), "customer", epoch=3, session_id=session_id)))
    assert (found.epoch, found.session_id) == (3, session_id)
    found = await checks.principal(issuer().issue(Principal(uuid7(), "customer")))
    assert (found.epoch, found.session_id) == (0, None)


@pytest.mark.parametrize("epoch", [-1, 1.5, "1", True, None])
async def test_an_epoch_that_is_no_number_is_refused(epoch: Any) -> None:
    with pytest.raises(Unauthenticated):
        await verifier(Keys()).principal(issuer().issue(Principal(uuid7(), "customer", epoch=epoch)))


def other_key() -> bytes:
    return OKPKey.generate_key("Ed25519").as_pem(private=True)


@pytest.mark.parametrize("claim", [None, False, "true", 1])
async def test_an_address_is_verified_only_if_the_token_says_so_exactly(claim: Any) -> None:
    signed, checks = Principal(uuid7(), "customer", claim), verifier(Keys())
    assert not (await checks.principal(issuer().issue(signed))).verified
    assert (await checks.principal(issuer().issue(replace(signed, verified=True)))).verified
