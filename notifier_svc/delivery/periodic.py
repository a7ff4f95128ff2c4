"""The periodic loop of delivery: mails whose process has ended, or hangs, are sent by another."""

from functools import partial

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.periodic import run_periodically
from notifier_svc.delivery.claims import find_expired_claims
from notifier_svc.delivery.outcomes import Outcomes

EXPIRED_AT_ONCE = 500
"""How many expired claims a round releases at most."""


async def release_expired_claims(database: Postgres, outcomes: Outcomes, lease_seconds: float) -> None:
    """Release expired claims, four times within a lease, until cancelled."""
    release = partial(_release, database, outcomes)
    await run_periodically(release, "release of expired claims", full=EXPIRED_AT_ONCE, seconds=lease_seconds / 4)


async def _release(database: Postgres, outcomes: Outcomes) -> int:
    expired = await find_expired_claims(database, EXPIRED_AT_ONCE)
    for one in expired:
        await outcomes.claim_expired(one)
    return len(expired)
