"""The REST process of order_svc: ``python -m order_svc.main``."""

from fastapi import FastAPI

from chassis.auth import RemoteKeys, Verifier
from chassis.groupcommit import GroupCommit
from chassis.ops import ops_router
from chassis.rest import create_app, serve
from chassis.settings import load
from chassis.sql import Postgres
from order_svc import SERVICE
from order_svc.api import hot, router
from order_svc.catalogue import Catalogue
from order_svc.handlers import HANDLERS
from order_svc.queries import LEDGER, LEDGER_LINE
from order_svc.settings import RestSettings
from order_svc.store import OrderBook
from order_svc.watch import Watch


def build(settings: RestSettings) -> FastAPI:
    """The app, with everything it needs."""
    database = Postgres(str(settings.postgres_url))
    keys, catalogue = RemoteKeys(str(settings.jwks_url)), Catalogue(str(settings.product_url))
    watch = Watch(database)
    return create_app(
        SERVICE,
        "Shopstream orders",
        router,
        hot,
        database=database,
        commit=GroupCommit(database, OrderBook),
        verifier=Verifier(keys.fetch, settings.jwt_issuer, settings.jwt_audience),
        ops=ops_router(SERVICE, HANDLERS, LEDGER, LEDGER_LINE),
        opening=[watch.start],
        ending=[watch.end],
        closing=[watch.close, keys.close, catalogue.close],
        needs={"catalogue": catalogue, "watch": watch, "saga_stuck_seconds": settings.saga_stuck_seconds},
    )


if __name__ == "__main__":
    settings = load(RestSettings, SERVICE)
    serve(build(settings), SERVICE, settings)
