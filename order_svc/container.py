"""What the processes of order_svc are composed of, and how routes get its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.http.auth import RemoteKeys, Verifier
from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.worker import EventProcess
from order_svc import SERVICE
from order_svc.catalogue import Catalogue
from order_svc.deadlines import Deadlines
from order_svc.handlers import HANDLERS
from order_svc.settings import RestSettings, WorkerSettings
from order_svc.store import OrderBook
from order_svc.sweep import Sweep
from order_svc.watch import Watch


@dataclass(frozen=True)
class Container:
    """The parts of the REST process."""

    settings: RestSettings
    database: Postgres
    commit: GroupCommit[OrderBook]
    verifier: Verifier
    catalogue: Catalogue
    watch: Watch


@asynccontextmanager
async def open_container(settings: RestSettings) -> AsyncIterator[Container]:
    """Open the parts of the REST process, and close them at the end."""
    database = Postgres(str(settings.postgres_url))
    keys, catalogue = RemoteKeys(str(settings.jwks_url)), Catalogue(str(settings.product_url))
    watch = Watch(database)
    await watch.start()
    try:
        yield Container(
            settings,
            database,
            GroupCommit(database, OrderBook),
            Verifier(keys.fetch, settings.jwt_issuer, settings.jwt_audience),
            catalogue,
            watch,
        )
    finally:
        for close in (watch.close, keys.close, catalogue.close, database.close):
            await close()


@asynccontextmanager
async def open_event_process(settings: WorkerSettings) -> AsyncIterator[EventProcess]:
    """Open the parts of the event process, and close them at the end."""
    database = Postgres(str(settings.postgres_url))
    commit = GroupCommit(database, OrderBook)
    deadlines = Deadlines(database, commit, settings.order_deadline_seconds)
    sweep = Sweep(database, settings.idempotency_seconds)
    consumer = Consumer(database, SERVICE, OrderBook, HANDLERS)
    try:
        yield EventProcess(SERVICE, settings, database, consumer, loops=[commit.run, deadlines.run, sweep.run])
    finally:
        await database.close()


async def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


async def _commit(request: Request) -> GroupCommit[OrderBook]:
    return (await _container(request)).commit


async def _database(request: Request) -> Postgres:
    return (await _container(request)).database


async def _catalogue(request: Request) -> Catalogue:
    return (await _container(request)).catalogue


async def _watch(request: Request) -> Watch:
    return (await _container(request)).watch


async def _stuck_seconds(request: Request) -> float:
    return (await _container(request)).settings.saga_stuck_seconds


Commit = Annotated[GroupCommit[OrderBook], Depends(_commit)]
Database = Annotated[Postgres, Depends(_database)]
Asking = Annotated[Catalogue, Depends(_catalogue)]
Watching = Annotated[Watch, Depends(_watch)]
StuckSeconds = Annotated[float, Depends(_stuck_seconds)]
