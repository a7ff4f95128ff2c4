"""Replays on a running platform, as ops request them through REST; and the accident that makes them necessary."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError
from pymongo import AsyncMongoClient

from tests.stack import Stack, eventually

PATIENCE = 600.0
"""Seconds to wait for a job: beside live events, a plan of a long history takes minutes."""


async def post(shop: Stack, who: Mapping[str, str], service: str, path: str, body: Mapping[str, Any]) -> Any:
    sent = {**who, "Idempotency-Key": str(uuid4())}
    response = await shop.http.post(
        f"{shop.urls[service]}/v1/ops/{path}", json={**body, "why": "a test"}, headers=sent
    )
    assert response.is_success, response.text
    return response.json()


async def patch(shop: Stack, who: Mapping[str, str], service: str, job_id: str, body: Mapping[str, Any]) -> Any:
    sent = {**who, "Idempotency-Key": str(uuid4())}
    url = f"{shop.urls[service]}/v1/ops/replays/{job_id}"
    response = await shop.http.patch(url, json={**body, "why": "a test"}, headers=sent)
    return response.status_code, response.json()


async def settled(shop: Stack, who: Mapping[str, str], service: str, path: str, *busy: str) -> Any:
    """The job at ``replays/<id>`` or ``rebuilds/<id>``, once it is in none of these states."""

    async def found() -> Any:
        response = await shop.http.get(f"{shop.urls[service]}/v1/ops/{path}", headers=dict(who))
        if response.status_code == 503:
            # The database was away, and the service does not reach it yet.
            return None
        job = response.json()
        return None if job["state"] in busy else job

    return await eventually(found, PATIENCE, f"{path} to leave {busy}", pause=0.2)


async def planned(shop: Stack, who: Mapping[str, str], service: str, **request: Any) -> Any:
    job = await post(shop, who, service, "replays", request)
    return await settled(shop, who, service, f"replays/{job['id']}", "planning")


async def done(shop: Stack, who: Mapping[str, str], service: str, job_id: str, **change: Any) -> Any:
    status, body = await patch(shop, who, service, job_id, {"state": "running", **change})
    assert status == 200, body
    return await settled(shop, who, service, f"replays/{job_id}", "running")


async def letters(shop: Stack, who: Mapping[str, str], service: str) -> list[Any]:
    """The dead letters that lie at a service."""
    found = await shop.read(service, "/v1/ops/letters?state=dead", who)
    return list(found["items"])


async def redriven(shop: Stack, who: Mapping[str, str], service: str) -> Any:
    """Redrive all dead letters of a service; return the job, once it has ended."""
    job = await post(shop, who, service, "redrives", {"all": True})
    return await settled(shop, who, service, f"redrives/{job['id']}", "running", "planning")


async def expire_lease(shop: Stack, service: str) -> None:
    """Let the job of a process that was killed be taken over at once, as if its lease had been waited for."""
    env = shop.commands[service].env
    if mongo := env.get("MONGO_URL"):
        client: AsyncMongoClient[Any]
        async with AsyncMongoClient(mongo) as client:
            past = {"$set": {"until": datetime.fromtimestamp(0, UTC)}}
            await client.get_default_database().leases.update_one({"_id": "jobs"}, past)
        return
    async with await psycopg.AsyncConnection.connect(env["POSTGRES_URL"], autocommit=True) as connection:
        await connection.execute("UPDATE jobs SET lease_until = now() WHERE lease_until > now()")


async def move_offsets_to_the_end(shop: Stack, kafka: str, group: str, topics: Sequence[str]) -> None:
    """What an accident with kafka-consumer-groups does; the group must have no members."""
    prefix = shop.commands["order"].env["KAFKA_PREFIX"]
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, group_id=prefix + group, enable_auto_commit=False)
    await consumer.start()
    try:
        await consumer.topics()
        partitions = [TopicPartition(prefix + topic, number) for topic in topics for number in range(6)]
        consumer.assign(partitions)

        async def committed() -> bool:
            # A member that was killed belongs to the group until its session ends.
            with suppress(CommitFailedError):
                await consumer.commit(await consumer.end_offsets(partitions))
                return True
            return False

        await eventually(committed, PATIENCE, f"{group} to have no members", pause=1.0)
    finally:
        await consumer.stop()
