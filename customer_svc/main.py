"""The REST process of customer_svc: ``python -m customer_svc.main``."""

from typing import Any

from fastapi import FastAPI

from chassis.auth import Issuer, Verifier
from chassis.groupcommit import GroupCommit
from chassis.ops import ops_router
from chassis.rest import create_app, serve
from chassis.settings import load
from chassis.sql import Postgres
from customer_svc import SERVICE, pages
from customer_svc.api import router
from customer_svc.elsewhere import Elsewhere
from customer_svc.handlers import HANDLERS
from customer_svc.passwords import Passwords
from customer_svc.queries import LEDGER, LEDGER_LINE
from customer_svc.settings import Settings
from customer_svc.store import Accounts
from customer_svc.throttle import Limit, Throttle


def build(settings: Settings) -> FastAPI:
    """The app, with everything it needs."""
    database = Postgres(str(settings.postgres_url))
    key = settings.jwt_private_key_file.read_bytes()
    issuer = Issuer(key, settings.jwt_issuer, settings.jwt_audience, settings.jwt_seconds)

    elsewhere = Elsewhere(str(settings.order_url), str(settings.notifier_url))

    async def own_keys() -> dict[str, Any]:
        return issuer.jwks()

    return create_app(
        SERVICE,
        "Shopstream customers",
        router,
        pages.router,
        database=database,
        commit=GroupCommit(database, Accounts),
        verifier=Verifier(own_keys, settings.jwt_issuer, settings.jwt_audience),
        ops=ops_router(SERVICE, HANDLERS, LEDGER, LEDGER_LINE),
        closing=[elsewhere.close],
        needs={
            "elsewhere": elsewhere,
            "issuer": issuer,
            "passwords": Passwords(),
            "link_key": settings.link_key,
            "refresh_seconds": settings.refresh_seconds,
            "throttle": _throttle(database, settings),
        },
    )


def _throttle(database: Postgres, settings: Settings) -> Throttle:
    per_account = Limit(settings.login_tries_per_account, settings.login_seconds_per_account)
    per_address = Limit(settings.login_tries_per_address, settings.login_seconds_per_address)
    registrations = Limit(settings.register_tries_per_address, settings.register_seconds_per_address)
    return Throttle(database, per_account, per_address, registrations)


if __name__ == "__main__":
    settings = load(Settings, SERVICE)
    serve(build(settings), SERVICE, settings)
