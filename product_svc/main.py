"""The REST process of product_svc: ``python -m product_svc.main``."""

from fastapi import FastAPI

from chassis.auth import RemoteKeys, Verifier
from chassis.groupcommit import GroupCommit
from chassis.mongo import Mongo
from chassis.ops import ops_router
from chassis.rest import create_app, serve
from chassis.settings import load
from product_svc import SERVICE, api
from product_svc.bulk import api as bulk_api
from product_svc.catalogue import api as catalogue_api
from product_svc.catalogue import category_api
from product_svc.handlers import HANDLERS
from product_svc.queries import LEDGER, LEDGER_LINE
from product_svc.settings import RestSettings
from product_svc.store import Warehouse, open_documents


def build(settings: RestSettings) -> FastAPI:
    """The app, with everything it needs."""
    database = Mongo(str(settings.mongo_url))
    keys = RemoteKeys(str(settings.jwks_url))
    return create_app(
        SERVICE,
        "Shopstream products",
        api.router,
        category_api.router,
        catalogue_api.router,
        bulk_api.router,
        database=database,
        commit=GroupCommit(database, Warehouse),
        verifier=Verifier(keys.fetch, settings.jwt_issuer, settings.jwt_audience),
        ops=ops_router(SERVICE, HANDLERS, LEDGER, LEDGER_LINE),
        opening=[lambda: open_documents(database)],
        closing=[keys.close],
        needs={"idempotency_seconds": settings.idempotency_seconds},
    )


if __name__ == "__main__":
    settings = load(RestSettings, SERVICE)
    serve(build(settings), SERVICE, settings)
