"""What the processes of order_svc are composed of, and the dependencies that give its parts to routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis import postal_addresses
from chassis.http.auth import Verifier
from chassis.http.remote_verifier import RemoteVerifier
from chassis.jobs.compose import job_loop
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.rebuild.runner import RebuildRunner
from chassis.rebuild.sweep import ShadowSweep
from chassis.replay.target import ReplayTarget
from chassis.runtime.worker import EventProcess
from order_svc import SERVICE
from order_svc.clients.product import ProductClient
from order_svc.handlers import HANDLERS, REPLICAS
from order_svc.orders.store import response_expiry
from order_svc.saga.gauges import SagaGauges
from order_svc.saga.periodic import Deadlines
from order_svc.settings import RestSettings, WorkerSettings
from order_svc.timeline.feed import TimelineFeed
from order_svc.unit_of_work import OrderUnitOfWork
from order_svc.usage.domain import OrderLimits


@dataclass(frozen=True)
class Container:
    """The parts of the REST process."""

    settings: RestSettings
    database: Postgres
    commit: GroupCommit[OrderUnitOfWork]
    verifier: Verifier
    products: ProductClient
    feed: TimelineFeed
    limits: OrderLimits


@asynccontextmanager
async def open_container(settings: RestSettings) -> AsyncIterator[Container]:
    """Open the parts of the REST process, and close them at the end."""
    postal_addresses.preload()
    database = Postgres(str(settings.postgres_url))
    verifier = RemoteVerifier(str(settings.jwks_url), settings.jwt_issuer, SERVICE)
    products = ProductClient(str(settings.product_url))
    feed = TimelineFeed(database)
    await feed.start()
    verifier.start()
    try:
        yield Container(
            settings,
            database,
            GroupCommit(database, OrderUnitOfWork),
            verifier,
            products,
            feed,
            OrderLimits(settings.orders_per_minute, settings.pieces_held),
        )
    finally:
        for close in (feed.close, verifier.close, products.close, database.close):
            await close()


@asynccontextmanager
async def open_event_process(settings: WorkerSettings) -> AsyncIterator[EventProcess]:
    """Open the parts of the event process, and close them at the end."""
    url = str(settings.postgres_url)
    database = Postgres(url)
    commit = GroupCommit(database, OrderUnitOfWork)
    deadlines = Deadlines(database, commit, settings.order_deadline_seconds)
    expiry = response_expiry(database, settings.idempotency_seconds)
    target = ReplayTarget(
        database, SERVICE, HANDLERS, OrderUnitOfWork, settings.kafka_bootstrap_servers, settings.kafka_prefix
    )
    rebuilds = RebuildRunner(
        target, database, REPLICAS, lambda schema: Postgres(url, pool_size=1, search_path=schema)
    )
    sweep = ShadowSweep(database)
    loops = [commit.run, deadlines.run, expiry.run, job_loop(target, {"rebuild": rebuilds}).run, sweep.run]
    try:
        gauges = [SagaGauges(database, settings.saga_stuck_seconds).refresh]
        yield EventProcess(SERVICE, settings, database, target.consumer(), loops=loops, gauges=gauges)
    finally:
        await database.close()


def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


# Coroutine functions: FastAPI runs other dependencies in a thread.
async def _commit(request: Request) -> GroupCommit[OrderUnitOfWork]:
    return _container(request).commit


async def _database(request: Request) -> Postgres:
    return _container(request).database


async def _products(request: Request) -> ProductClient:
    return _container(request).products


async def _feed(request: Request) -> TimelineFeed:
    return _container(request).feed


async def _limits(request: Request) -> OrderLimits:
    return _container(request).limits


async def _verifier(request: Request) -> Verifier:
    return _container(request).verifier


async def _stuck_seconds(request: Request) -> float:
    return _container(request).settings.saga_stuck_seconds


Commit = Annotated[GroupCommit[OrderUnitOfWork], Depends(_commit)]
Database = Annotated[Postgres, Depends(_database)]
Products = Annotated[ProductClient, Depends(_products)]
Feed = Annotated[TimelineFeed, Depends(_feed)]
Limits = Annotated[OrderLimits, Depends(_limits)]
TokenVerifier = Annotated[Verifier, Depends(_verifier)]
StuckSeconds = Annotated[float, Depends(_stuck_seconds)]
