"""Stored responses to idempotent requests are deleted once they have expired, and no earlier."""

import asyncio
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.expiry import BATCH, Expiry
from chassis.runtime.settings import load
from order_svc.container import open_event_process
from order_svc.orders.store import idempotency_keys, response_expiry
from order_svc.settings import WorkerSettings
from tests.processes import Environment

SECONDS = 600.0


async def stored(database: Postgres, age: float, count: int = 1) -> list[UUID]:
    """Responses that were stored so many seconds ago."""
    stored_at = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, age)
    ids = [uuid7() for _ in range(count)]
    rows = [{"id": one, "fingerprint": "f", "order_id": uuid7(), "response": "{}"} for one in ids]
    async with database.reading() as connection:
        await connection.execute(sa.insert(idempotency_keys).values(stored_at=stored_at), rows)
    return ids


async def remaining(database: Postgres) -> set[UUID]:
    async with database.reading() as connection:
        return set(await connection.scalars(sa.select(idempotency_keys.c.id)))


async def test_expired_responses_are_deleted_and_the_others_stay(postgres: Postgres) -> None:
    await stored(postgres, SECONDS + 1, 3)
    young = [*await stored(postgres, SECONDS - 60), *await stored(postgres, 0)]
    assert await response_expiry(postgres, SECONDS).delete_expired() == 3
    assert await remaining(postgres) == set(young)


async def test_several_processes_delete_many_expired_responses_in_batches(postgres: Postgres) -> None:
    await stored(postgres, SECONDS + 1, BATCH + 5)
    expiries = [response_expiry(postgres, SECONDS) for _ in range(2)]
    removed = await asyncio.gather(*(one.delete_expired() for one in expiries))
    assert max(removed) <= BATCH
    while more := await expiries[0].delete_expired():
        removed.append(more)
    assert sum(removed) == BATCH + 5
    assert await remaining(postgres) == set()


async def test_expired_responses_are_deleted_batch_after_batch(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.persistence.postgres.expiry.BATCH", 2)
    await stored(postgres, SECONDS + 1, 5)
    running = asyncio.create_task(response_expiry(postgres, SECONDS).run())
    async with asyncio.timeout(10):
        while await remaining(postgres):
            await asyncio.sleep(0.01)
    running.cancel()


def test_responses_are_kept_for_a_day_by_default(environment: Environment) -> None:
    values = {"postgres_url": "postgresql://a:b@db/x", "kafka_bootstrap_servers": "kafka:9092"}
    environment.set(WorkerSettings, values)
    assert load(WorkerSettings, "order_svc").idempotency_seconds == 86_400
    assert environment.refused(WorkerSettings, {**values, "idempotency_seconds": "0"}) == ["IDEMPOTENCY_SECONDS"]


async def test_the_event_process_deletes_expired_responses() -> None:
    values = {"postgres_url": "postgresql://a:b@db/x", "kafka_bootstrap_servers": "kafka:9092"}
    async with open_event_process(WorkerSettings.model_validate(values)) as process:
        assert Expiry.run.__qualname__ in {loop.__qualname__ for loop in process.loops}
