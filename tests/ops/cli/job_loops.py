"""The jobs of event processes, done in the process of the tests, on the world of tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.jobs.compose import job_loop
from chassis.jobs.loop import JobLoop
from chassis.replay.target import ReplayTarget
from customer_svc import handlers as customer_handlers
from customer_svc.unit_of_work import CustomerUnitOfWork
from notifier_svc import handlers as notifier_handlers
from notifier_svc.mails.queries import count_mails
from notifier_svc.unit_of_work import NotifierUnitOfWork
from order_svc import handlers as order_handlers
from order_svc.unit_of_work import OrderUnitOfWork
from product_svc import handlers as product_handlers
from product_svc.unit_of_work import ProductUnitOfWork
from tests.ops.cli.program import RUNNING
from tests.ops.world import World

SERVICES: dict[str, tuple[Any, Any]] = {
    "customer_svc": (CustomerUnitOfWork, customer_handlers.HANDLERS),
    "order_svc": (OrderUnitOfWork, order_handlers.HANDLERS),
    "product_svc": (ProductUnitOfWork, product_handlers.HANDLERS),
    "notifier_svc": (NotifierUnitOfWork, notifier_handlers.HANDLERS),
}


@asynccontextmanager
async def job_loops(world: World) -> AsyncIterator[None]:
    """Do the jobs of all services."""
    loops = [asyncio.create_task(_run(loop_of(world, service))) for service in SERVICES]
    try:
        yield
    finally:
        for one in loops:
            one.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


def loop_of(world: World, service: str) -> JobLoop:
    """The jobs of a service."""
    unit, handlers = SERVICES[service]
    of_mails: dict[str, Any] = {
        "withholding_uow": partial(NotifierUnitOfWork, withhold_mails=True),
        "count_mails": partial(count_mails, world.mails),
    }
    target: ReplayTarget[Any] = ReplayTarget(
        world.databases[service],
        service,
        handlers,
        unit,
        world.servers.kafka,
        world.prefix,
        **(of_mails if service == "notifier_svc" else {}),
    )
    return job_loop(target)


async def _run(loop: JobLoop) -> None:
    """Do jobs while a program runs, which may wait for one; looking for jobs all the time costs the tests a core."""
    while True:
        await RUNNING.wait()
        if not await loop.step():
            await asyncio.sleep(0.2)


async def commit_all(world: World, group: str) -> None:
    """Move the offsets of a group past everything on its topics: what it has not handled is missed."""
    topics = sorted({event.topic for event in SERVICES[group][1]})
    places = [TopicPartition(world.prefix + topic, number) for topic in topics for number in (0, 1)]
    name = world.prefix + group
    async with AIOKafkaConsumer(
        bootstrap_servers=world.servers.kafka, group_id=name, enable_auto_commit=False
    ) as consumer:
        consumer.assign(places)
        await consumer.commit(await consumer.end_offsets(places))
