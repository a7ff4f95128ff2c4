"""Answers to requests with an Idempotency-Key are forgotten when they are old, and no earlier."""

import asyncio
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.settings import load
from order_svc.container import open_event_process
from order_svc.settings import WorkerSettings
from order_svc.store import idempotency_keys
from order_svc.sweep import AT_ONCE, Sweep
from tests.processes import Environment

SECONDS = 600.0


async def answered(database: Postgres, age: float, count: int = 1) -> list[UUID]:
    """Answers that were given so many seconds ago."""
    stored_at = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, age)
    ids = [uuid7() for _ in range(count)]
    rows = [{"id": one, "fingerprint": "f", "order_id": uuid7(), "answer": "{}"} for one in ids]
    async with database.reading() as connection:
        await connection.execute(sa.insert(idempotency_keys).values(stored_at=stored_at), rows)
    return ids


async def kept(database: Postgres) -> set[UUID]:
    async with database.reading() as connection:
        return set(await connection.scalars(sa.select(idempotency_keys.c.id)))


async def test_old_answers_are_forgotten_and_the_others_stay(postgres: Postgres) -> None:
    await answered(postgres, SECONDS + 1, 3)
    young = [*await answered(postgres, SECONDS - 60), *await answered(postgres, 0)]
    assert await Sweep(postgres, SECONDS).sweep() == 3
    assert await kept(postgres) == set(young)


async def test_many_old_answers_are_forgotten_in_portions_by_several_processes(postgres: Postgres) -> None:
    await answered(postgres, SECONDS + 1, AT_ONCE + 5)
    sweeps = [Sweep(postgres, SECONDS) for _ in range(2)]
    removed = await asyncio.gather(*(one.sweep() for one in sweeps))
    assert max(removed) <= AT_ONCE
    while more := await sweeps[0].sweep():
        removed.append(more)
    assert sum(removed) == AT_ONCE + 5
    assert await kept(postgres) == set()


async def test_a_sweep_goes_on_until_nothing_old_is_left(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("order_svc.sweep.AT_ONCE", 2)
    await answered(postgres, SECONDS + 1, 5)
    running = asyncio.create_task(Sweep(postgres, SECONDS).run())
    async with asyncio.timeout(10):
        while await kept(postgres):
            await asyncio.sleep(0.01)
    running.cancel()


def test_answers_are_kept_for_a_day_unless_it_is_set(environment: Environment) -> None:
    told = {"postgres_url": "postgresql://a:b@db/x", "kafka_bootstrap_servers": "kafka:9092"}
    environment.set(WorkerSettings, told)
    assert load(WorkerSettings, "order_svc").idempotency_seconds == 86_400
    assert environment.refused(WorkerSettings, {**told, "idempotency_seconds": "0"}) == ["IDEMPOTENCY_SECONDS"]


async def test_the_event_process_sweeps() -> None:
    told = {"postgres_url": "postgresql://a:b@db/x", "kafka_bootstrap_servers": "kafka:9092"}
    async with open_event_process(WorkerSettings.model_validate(told)) as process:
        assert Sweep.run.__qualname__ in {loop.__qualname__ for loop in process.loops}
