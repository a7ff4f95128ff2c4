"""What the processes of customer_svc consist of, and the dependencies with which routes get it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import SecretStr

from chassis import postal_addresses
from chassis.http.auth import Issuer, Verifier
from chassis.jobs.compose import job_loop
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.replay.target import ReplayTarget
from chassis.runtime.worker import EventProcess
from customer_svc import SERVICE
from customer_svc.accounts.domain import Role
from customer_svc.audit_log.store import audit_log_expiry
from customer_svc.audit_log.writer import AuditLogWriter
from customer_svc.clients import exports
from customer_svc.handlers import HANDLERS
from customer_svc.links.store import link_expiry
from customer_svc.passwords import hasher
from customer_svc.sessions.store import session_expiry
from customer_svc.settings import Settings, WorkerSettings
from customer_svc.throttling import throttle
from customer_svc.throttling.domain import Limit, network
from customer_svc.throttling.store import network_expiry, throttle_expiry
from customer_svc.tokens.verifier import AccountVerifier, RevocationList
from customer_svc.unit_of_work import CustomerUnitOfWork


@dataclass(frozen=True)
class Container:
    """The parts of the REST process."""

    settings: Settings
    database: Postgres
    commit: GroupCommit[CustomerUnitOfWork]
    verifier: Verifier
    token_issuer: Issuer
    revocations: RevocationList
    password_hasher: hasher.PasswordHasher
    throttle: throttle.Throttle
    export_client: exports.ExportClient
    audit_log: AuditLogWriter


@asynccontextmanager
async def open_container(settings: Settings) -> AsyncIterator[Container]:
    """Open the parts of the REST process, and close them at the end."""
    postal_addresses.preload()
    database = Postgres(str(settings.postgres_url))
    issuer = _open_issuer(settings)
    export_client = exports.ExportClient(str(settings.order_url), str(settings.notifier_url))

    async def own_keys() -> dict[str, Any]:
        return issuer.jwks()

    try:
        yield Container(
            settings=settings,
            database=database,
            commit=GroupCommit(database, CustomerUnitOfWork),
            verifier=AccountVerifier(own_keys, settings.jwt_issuer, SERVICE, database),
            token_issuer=issuer,
            revocations=RevocationList(database, settings.jwt_seconds),
            password_hasher=hasher.PasswordHasher(),
            throttle=_open_throttle(database, settings),
            export_client=export_client,
            audit_log=AuditLogWriter(database),
        )
    finally:
        await export_client.close()
        await database.close()


def _open_issuer(settings: Settings) -> Issuer:
    others = [path.read_bytes() for path in settings.jwt_published_key_files]
    key = settings.jwt_private_key_file.read_bytes()
    audiences = settings.jwt_audiences.split(",")
    return Issuer(key, settings.jwt_issuer, audiences, settings.jwt_seconds, others)


def _open_throttle(database: Postgres, settings: Settings) -> throttle.Throttle:
    per_account = Limit(settings.login_tries_per_account, settings.login_seconds_per_account)
    per_address = Limit(settings.login_tries_per_address, settings.login_seconds_per_address)
    registrations = Limit(settings.register_tries_per_address, settings.register_seconds_per_address)
    return throttle.Throttle(database, per_account, per_address, registrations)


@asynccontextmanager
async def open_event_process(settings: WorkerSettings) -> AsyncIterator[EventProcess]:
    """Open the parts of the event process, and close them at the end."""
    database = Postgres(str(settings.postgres_url))
    loops = [make(database).run for make in (link_expiry, session_expiry, throttle_expiry, network_expiry)]
    loops.append(audit_log_expiry(database, settings.audit_log_seconds).run)
    target = ReplayTarget(
        database, SERVICE, HANDLERS, CustomerUnitOfWork, settings.kafka_bootstrap_servers, settings.kafka_prefix
    )
    try:
        yield EventProcess(SERVICE, settings, database, target.consumer(), loops=[*loops, job_loop(target).run])
    finally:
        await database.close()


def _container(request: Request) -> Container:
    container: Container = request.app.state.container
    return container


# Coroutine functions: FastAPI runs other dependencies in a thread.
async def _commit(request: Request) -> GroupCommit[CustomerUnitOfWork]:
    return _container(request).commit


async def _database(request: Request) -> Postgres:
    return _container(request).database


async def _password_hasher(request: Request) -> hasher.PasswordHasher:
    return _container(request).password_hasher


async def _token_issuer(request: Request) -> Issuer:
    return _container(request).token_issuer


async def _revocations(request: Request) -> RevocationList:
    return _container(request).revocations


async def _audit_log(request: Request) -> AuditLogWriter:
    return _container(request).audit_log


async def _totp_roles(request: Request) -> tuple[Role, ...]:
    return ("staff", "ops") if _container(request).settings.staff_totp == "required" else ()


async def _throttle(request: Request) -> throttle.Throttle:
    return _container(request).throttle


async def _refresh_seconds(request: Request) -> int:
    return _container(request).settings.refresh_seconds


async def _export_client(request: Request) -> exports.ExportClient:
    return _container(request).export_client


async def _link_key(request: Request) -> SecretStr:
    return _container(request).settings.link_key


async def _client_address(request: Request) -> str:
    # Behind a proxy that uvicorn trusts (FORWARDED_ALLOW_IPS), this is the client's own address.
    return request.client.host if request.client else ""


async def _client_network(request: Request) -> str:
    return network(await _client_address(request))


Commit = Annotated[GroupCommit[CustomerUnitOfWork], Depends(_commit)]
Database = Annotated[Postgres, Depends(_database)]
PasswordHasher = Annotated[hasher.PasswordHasher, Depends(_password_hasher)]
TokenIssuer = Annotated[Issuer, Depends(_token_issuer)]
Revocations = Annotated[RevocationList, Depends(_revocations)]
AuditLog = Annotated[AuditLogWriter, Depends(_audit_log)]
TotpRoles = Annotated[tuple[Role, ...], Depends(_totp_roles)]
"""The roles whose accounts may not log in without one-time codes."""
Throttle = Annotated[throttle.Throttle, Depends(_throttle)]
RefreshSeconds = Annotated[int, Depends(_refresh_seconds)]
ExportClient = Annotated[exports.ExportClient, Depends(_export_client)]
LinkKey = Annotated[SecretStr, Depends(_link_key)]
ClientAddress = Annotated[str, Depends(_client_address)]
"""The network address that the request comes from."""
ClientNetwork = Annotated[str, Depends(_client_network)]
"""What a client is counted by: its IPv4 address, or its /64 of IPv6."""
