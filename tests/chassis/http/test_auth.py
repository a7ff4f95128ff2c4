"""Tokens are checked with keys that are fetched when they are needed, once for all requests that wait for them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from uuid_utils.compat import uuid7

from chassis.http.auth import Principal, Verifier
from chassis.http.errors import Unavailable
from chassis.testing import issuer, test_keys


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
    return Verifier(keys.fetch, "shopstream", "shopstream")


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


def other_key() -> bytes:
    return OKPKey.generate_key("Ed25519").as_pem(private=True)


@pytest.mark.parametrize("claim", [None, False, "true", 1])
async def test_an_address_is_verified_only_if_the_token_says_so_exactly(claim: Any) -> None:
    signed, checks = Principal(uuid7(), "customer", claim), verifier(Keys())
    assert not (await checks.principal(issuer().issue(signed))).verified
    assert (await checks.principal(issuer().issue(replace(signed, verified=True)))).verified
