"""What the processes of notifier_svc are composed of, and the dependencies that give routes its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
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
from notifier_svc import SERVICE
from notifier_svc.delivery.gauges import MailGauges
from notifier_svc.delivery.sender import ROUND_SECONDS, Sender
from notifier_svc.handlers import HANDLERS, REPLICAS
from notifier_svc.mails.queries import count_mails
from notifier_svc.rendering.links import Links
from notifier_svc.rendering.mime import MimeRenderer
from notifier_svc.rendering.previews import MailPreviews
from notifier_svc.replicas.domain import staff_recipient
from notifier_svc.replicas.staff import register_staff
from notifier_svc.settings import RestSettings, WorkerSettings
from notifier_svc.unit_of_work import NotifierUnitOfWork


@dataclass(frozen=True)
class Container:
    """The parts of the REST process."""

    settings: RestSettings
    database: Postgres
    commit: GroupCommit[NotifierUnitOfWork]
    verifier: Verifier
    previews: MailPreviews


@asynccontextmanager
async def open_container(settings: RestSettings) -> AsyncIterator[Container]:
    """Open the parts of the REST process, and close them at the end."""
    postal_addresses.preload()
    database = Postgres(str(settings.postgres_url))
    verifier = RemoteVerifier(str(settings.jwks_url), settings.jwt_issuer, SERVICE)
    verifier.start()
    try:
        yield Container(settings, database, GroupCommit(database, NotifierUnitOfWork), verifier, MailPreviews())
    finally:
        await verifier.close()
        await database.close()


@asynccontextmanager
async def open_event_process(settings: WorkerSettings) -> AsyncIterator[EventProcess]:
    """Open the parts of the event process, and close them at the end."""
    postal_addresses.preload()
    url = str(settings.postgres_url)
    database = Postgres(url)
    commit = GroupCommit(database, NotifierUnitOfWork, round_seconds=ROUND_SECONDS)
    sender = Sender(
        database,
        commit,
        MimeRenderer(
            settings.mail_from,
            Links.to(settings.shop_url, settings.link_key, settings.tracking_urls),
            settings.mail_reply_to,
        ),
        settings.smtp_url,
        connections=settings.mail_connections,
        lease_seconds=settings.mail_lease_seconds,
        start_tls=settings.start_tls,
    )
    staff = staff_recipient(settings.staff_mail, settings.staff_locale)

    async def send_mails() -> None:
        # In this order: mails to staff must not go to an address of earlier settings.
        await register_staff(commit, staff)
        await sender.run()

    target = ReplayTarget(
        database,
        SERVICE,
        HANDLERS,
        NotifierUnitOfWork,
        settings.kafka_bootstrap_servers,
        settings.kafka_prefix,
        withholding_uow=partial(NotifierUnitOfWork, withhold_mails=True),
        count_mails=partial(count_mails, database),
    )
    rebuilds = RebuildRunner(
        target, database, REPLICAS, lambda schema: Postgres(url, pool_size=1, search_path=schema)
    )
    sweep = ShadowSweep(database)
    loops = [commit.run, send_mails, job_loop(target, {"rebuild": rebuilds}).run, sweep.run]
    try:
        gauges = [MailGauges(database).refresh]
        yield EventProcess(SERVICE, settings, database, target.consumer(), loops=loops, gauges=gauges)
    finally:
        await database.close()


def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


# Coroutine functions: FastAPI runs other dependencies in a thread.
async def _commit(request: Request) -> GroupCommit[NotifierUnitOfWork]:
    return _container(request).commit


async def _database(request: Request) -> Postgres:
    return _container(request).database


async def _previews(request: Request) -> MailPreviews:
    return _container(request).previews


Commit = Annotated[GroupCommit[NotifierUnitOfWork], Depends(_commit)]
Database = Annotated[Postgres, Depends(_database)]
Previews = Annotated[MailPreviews, Depends(_previews)]
