"""What the processes of product_svc are composed of, and the FastAPI dependencies that give its parts to routes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from chassis.http.auth import Bearer, Verifier
from chassis.http.remote_verifier import RemoteVerifier
from chassis.http.safe_headers import cacheable
from chassis.jobs.compose import job_loop
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.mongo.database import Mongo
from chassis.replay.target import ReplayTarget
from chassis.runtime.worker import EventProcess
from product_svc import SERVICE
from product_svc.handlers import HANDLERS
from product_svc.search.bounded import BoundedSearches
from product_svc.settings import RestSettings, WorkerSettings
from product_svc.unit_of_work import ProductUnitOfWork, open_documents


@dataclass(frozen=True)
class Container:
    """The parts of the REST process."""

    settings: RestSettings
    database: Mongo
    commit: GroupCommit[ProductUnitOfWork]
    verifier: Verifier
    searches: BoundedSearches


@asynccontextmanager
async def open_container(settings: RestSettings) -> AsyncIterator[Container]:
    """Open the parts of the REST process, and close them at the end."""
    database = Mongo(str(settings.mongo_url))
    verifier = RemoteVerifier(str(settings.jwks_url), settings.jwt_issuer, SERVICE)
    verifier.start()
    try:
        await open_documents(database)
        searches = BoundedSearches(database, settings.facets_seconds)
        yield Container(settings, database, GroupCommit(database, ProductUnitOfWork), verifier, searches)
    finally:
        await verifier.close()
        await database.close()


@asynccontextmanager
async def open_event_process(settings: WorkerSettings) -> AsyncIterator[EventProcess]:
    """Open the parts of the event process, and close them at the end."""
    database = Mongo(str(settings.mongo_url))
    target = ReplayTarget(
        database, SERVICE, HANDLERS, ProductUnitOfWork, settings.kafka_bootstrap_servers, settings.kafka_prefix
    )
    try:
        yield EventProcess(SERVICE, settings, database, target.consumer(), loops=[job_loop(target).run])
    finally:
        await database.close()


def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


# Coroutine functions: FastAPI runs other dependencies in a thread.
async def _commit(request: Request) -> GroupCommit[ProductUnitOfWork]:
    return _container(request).commit


async def _database(request: Request) -> Mongo:
    return _container(request).database


async def _searches(request: Request) -> BoundedSearches:
    return _container(request).searches


async def _idempotency_seconds(request: Request) -> float:
    return _container(request).settings.idempotency_seconds


async def _is_staff(request: Request) -> bool:
    return "authorization" in request.headers and (await _BEARER(request)).role == "staff"


_BEARER = Bearer()

Commit = Annotated[GroupCommit[ProductUnitOfWork], Depends(_commit)]
Database = Annotated[Mongo, Depends(_database)]
Searches = Annotated[BoundedSearches, Depends(_searches)]
IdempotencySeconds = Annotated[float, Depends(_idempotency_seconds)]
IsStaff = Annotated[bool, Depends(_is_staff)]
"""Whether the client is staff, on routes that need no token; an invalid token is refused all the same."""

catalogue_page = cacheable(seconds=5)
"""Decorates the endpoints of the public catalogue."""

OPTIONAL_TOKEN: dict[str, Any] = {"security": [{}, {"HTTPBearer": []}]}
"""The ``openapi_extra`` of routes with ``IsStaff``: a token is optional."""
