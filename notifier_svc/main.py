"""The REST process of notifier_svc: ``python -m notifier_svc.main``."""

from fastapi import FastAPI

from chassis.auth import RemoteKeys, Verifier
from chassis.groupcommit import GroupCommit
from chassis.ops import ops_router
from chassis.rest import create_app, serve
from chassis.settings import load
from chassis.sql import Postgres
from notifier_svc import SERVICE
from notifier_svc.api import router
from notifier_svc.handlers import HANDLERS
from notifier_svc.queries import LEDGER, LEDGER_LINE
from notifier_svc.readings import Readings
from notifier_svc.settings import RestSettings
from notifier_svc.store import Ledger


def build(settings: RestSettings) -> FastAPI:
    """The app, with everything it needs."""
    database = Postgres(str(settings.postgres_url))
    keys = RemoteKeys(str(settings.jwks_url))
    return create_app(
        SERVICE,
        "Shopstream notifications",
        router,
        database=database,
        commit=GroupCommit(database, Ledger),
        verifier=Verifier(keys.fetch, settings.jwt_issuer, settings.jwt_audience),
        ops=ops_router(SERVICE, HANDLERS, LEDGER, LEDGER_LINE),
        closing=[keys.close],
        needs={"readings": Readings()},
    )


if __name__ == "__main__":
    settings = load(RestSettings, SERVICE)
    serve(build(settings), SERVICE, settings)
