"""What the processes of product_svc are composed of, and how routes get its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.http.auth import RemoteKeys, Verifier
from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.runtime.worker import EventProcess
from product_svc import SERVICE
from product_svc.handlers import HANDLERS
from product_svc.settings import RestSettings, WorkerSettings
from product_svc.store import Warehouse, open_documents


@dataclass(frozen=True)
class Container:
    """The parts of the REST process."""

    settings: RestSettings
    database: Mongo
    commit: GroupCommit[Warehouse]
    verifier: Verifier


@asynccontextmanager
async def open_container(settings: RestSettings) -> AsyncIterator[Container]:
    """Open the parts of the REST process, and close them at the end."""
    database = Mongo(str(settings.mongo_url))
    keys = RemoteKeys(str(settings.jwks_url))
    try:
        await open_documents(database)
        verifier = Verifier(keys.fetch, settings.jwt_issuer, settings.jwt_audience)
        yield Container(settings, database, GroupCommit(database, Warehouse), verifier)
    finally:
        await keys.close()
        await database.close()


@asynccontextmanager
async def open_event_process(settings: WorkerSettings) -> AsyncIterator[EventProcess]:
    """Open the parts of the event process, and close them at the end."""
    database = Mongo(str(settings.mongo_url))
    try:
        yield EventProcess(SERVICE, settings, database, Consumer(database, SERVICE, Warehouse, HANDLERS))
    finally:
        await database.close()


async def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


async def _commit(request: Request) -> GroupCommit[Warehouse]:
    return (await _container(request)).commit


async def _database(request: Request) -> Mongo:
    return (await _container(request)).database


async def _idempotency_seconds(request: Request) -> float:
    return (await _container(request)).settings.idempotency_seconds


Commit = Annotated[GroupCommit[Warehouse], Depends(_commit)]
Database = Annotated[Mongo, Depends(_database)]
KeptSeconds = Annotated[float, Depends(_idempotency_seconds)]
