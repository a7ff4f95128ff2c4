"""What the processes of notifier_svc are composed of, and how routes get its parts."""

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
from notifier_svc import SERVICE
from notifier_svc.domain import staff
from notifier_svc.handlers import HANDLERS
from notifier_svc.letters import Letters
from notifier_svc.links import Links
from notifier_svc.readings import Readings
from notifier_svc.sender import ROUND_SECONDS, Sender
from notifier_svc.settings import RestSettings, WorkerSettings
from notifier_svc.staff import introduced
from notifier_svc.store import Ledger


@dataclass(frozen=True)
class Container:
    """The parts of the REST process."""

    settings: RestSettings
    database: Postgres
    commit: GroupCommit[Ledger]
    verifier: Verifier
    readings: Readings


@asynccontextmanager
async def open_container(settings: RestSettings) -> AsyncIterator[Container]:
    """Open the parts of the REST process, and close them at the end."""
    database = Postgres(str(settings.postgres_url))
    keys = RemoteKeys(str(settings.jwks_url))
    try:
        verifier = Verifier(keys.fetch, settings.jwt_issuer, settings.jwt_audience)
        yield Container(settings, database, GroupCommit(database, Ledger), verifier, Readings())
    finally:
        await keys.close()
        await database.close()


@asynccontextmanager
async def open_event_process(settings: WorkerSettings) -> AsyncIterator[EventProcess]:
    """Open the parts of the event process, and close them at the end."""
    database = Postgres(str(settings.postgres_url))
    commit = GroupCommit(database, Ledger, round_seconds=ROUND_SECONDS)
    sender = Sender(
        database,
        commit,
        Letters(settings.mail_from, Links.to(settings.shop_url, settings.link_key)),
        settings.smtp_url,
        connections=settings.mail_connections,
        lease_seconds=settings.mail_lease_seconds,
    )
    consumer = Consumer(database, SERVICE, Ledger, HANDLERS)
    sending = introduced(commit, staff(settings.staff_mail, settings.staff_locale), sender.run)
    try:
        yield EventProcess(SERVICE, settings, database, consumer, loops=[commit.run, sending])
    finally:
        await database.close()


async def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


async def _commit(request: Request) -> GroupCommit[Ledger]:
    return (await _container(request)).commit


async def _database(request: Request) -> Postgres:
    return (await _container(request)).database


async def _readings(request: Request) -> Readings:
    return (await _container(request)).readings


Commit = Annotated[GroupCommit[Ledger], Depends(_commit)]
Database = Annotated[Postgres, Depends(_database)]
Reads = Annotated[Readings, Depends(_readings)]
