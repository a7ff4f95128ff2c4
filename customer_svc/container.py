"""What the processes of customer_svc are composed of, and how routes get its parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import SecretStr

from chassis.http.auth import Issuer, Verifier
from chassis.messaging.consumer import Consumer
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.settings import PostgresSettings
from chassis.runtime.worker import EventProcess
from customer_svc import SERVICE
from customer_svc.elsewhere import Elsewhere
from customer_svc.handlers import HANDLERS
from customer_svc.passwords import Passwords
from customer_svc.settings import Settings
from customer_svc.store import Accounts
from customer_svc.sweep import sweep_for_ever
from customer_svc.throttle import Limit, Throttle


@dataclass(frozen=True)
class Container:
    """The parts of the REST process."""

    settings: Settings
    database: Postgres
    commit: GroupCommit[Accounts]
    verifier: Verifier
    issuer: Issuer
    passwords: Passwords
    throttle: Throttle
    elsewhere: Elsewhere


@asynccontextmanager
async def open_container(settings: Settings) -> AsyncIterator[Container]:
    """Open the parts of the REST process, and close them at the end."""
    database = Postgres(str(settings.postgres_url))
    key = settings.jwt_private_key_file.read_bytes()
    issuer = Issuer(key, settings.jwt_issuer, settings.jwt_audience, settings.jwt_seconds)
    elsewhere = Elsewhere(str(settings.order_url), str(settings.notifier_url))

    async def own_keys() -> dict[str, Any]:
        return issuer.jwks()

    try:
        yield Container(
            settings,
            database,
            GroupCommit(database, Accounts),
            Verifier(own_keys, settings.jwt_issuer, settings.jwt_audience),
            issuer,
            Passwords(),
            _throttle(database, settings),
            elsewhere,
        )
    finally:
        await elsewhere.close()
        await database.close()


def _throttle(database: Postgres, settings: Settings) -> Throttle:
    per_account = Limit(settings.login_tries_per_account, settings.login_seconds_per_account)
    per_address = Limit(settings.login_tries_per_address, settings.login_seconds_per_address)
    registrations = Limit(settings.register_tries_per_address, settings.register_seconds_per_address)
    return Throttle(database, per_account, per_address, registrations)


@asynccontextmanager
async def open_event_process(settings: PostgresSettings) -> AsyncIterator[EventProcess]:
    """Open the parts of the event process, and close them at the end."""
    database = Postgres(str(settings.postgres_url))

    async def sweeping() -> None:
        await sweep_for_ever(database)

    consumer = Consumer(database, SERVICE, Accounts, HANDLERS)
    try:
        yield EventProcess(SERVICE, settings, database, consumer, loops=[sweeping])
    finally:
        await database.close()


async def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


async def _commit(request: Request) -> GroupCommit[Accounts]:
    return (await _container(request)).commit


async def _database(request: Request) -> Postgres:
    return (await _container(request)).database


async def _passwords(request: Request) -> Passwords:
    return (await _container(request)).passwords


async def _issuer(request: Request) -> Issuer:
    return (await _container(request)).issuer


async def _throttling(request: Request) -> Throttle:
    return (await _container(request)).throttle


async def _refresh_seconds(request: Request) -> int:
    return (await _container(request)).settings.refresh_seconds


async def _elsewhere(request: Request) -> Elsewhere:
    return (await _container(request)).elsewhere


async def _link_key(request: Request) -> SecretStr:
    return (await _container(request)).settings.link_key


Commit = Annotated[GroupCommit[Accounts], Depends(_commit)]
Database = Annotated[Postgres, Depends(_database)]
Hashing = Annotated[Passwords, Depends(_passwords)]
Issuing = Annotated[Issuer, Depends(_issuer)]
Throttling = Annotated[Throttle, Depends(_throttling)]
RefreshSeconds = Annotated[int, Depends(_refresh_seconds)]
Asking = Annotated[Elsewhere, Depends(_elsewhere)]
Linking = Annotated[SecretStr, Depends(_link_key)]
