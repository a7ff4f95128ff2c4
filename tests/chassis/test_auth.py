"""The keys of access tokens are fetched once for everybody who needs them at the same time."""

import asyncio
from typing import Any

from joserfc.jwk import OKPKey
from uuid_utils.compat import uuid7

from chassis.auth import Issuer, Principal, Verifier


async def test_requests_that_come_before_the_keys_are_there_all_wait_for_them() -> None:
    issuer = Issuer(OKPKey.generate_key("Ed25519").as_pem(private=True), "shop", "shop", 60)
    fetched = 0

    async def fetch() -> dict[str, Any]:
        nonlocal fetched
        fetched += 1
        await asyncio.sleep(0.05)
        return issuer.jwks()

    verifier = Verifier(fetch, "shop", "shop")
    bearers = [Principal(uuid7(), "customer") for _ in range(5)]
    found = await asyncio.gather(*(verifier.principal(issuer.issue(one)) for one in bearers))
    assert found == bearers
    assert fetched == 1
