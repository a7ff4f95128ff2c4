"""The REST process of product_svc: ``python -m product_svc.main``."""

from fastapi import FastAPI

from chassis.http.app import create_app, serve
from chassis.http.ops_routes import ops_router
from chassis.runtime.settings import load
from product_svc import SERVICE, api
from product_svc.bulk import api as bulk_api
from product_svc.catalogue import api as catalogue_api
from product_svc.catalogue import category_api
from product_svc.container import open_container
from product_svc.handlers import HANDLERS
from product_svc.queries import LEDGER, LEDGER_LINE
from product_svc.settings import RestSettings


def build(settings: RestSettings) -> FastAPI:
    """The app; its container is opened when it starts."""
    return create_app(
        SERVICE,
        "Shopstream products",
        api.router,
        category_api.router,
        catalogue_api.router,
        bulk_api.router,
        open_container=lambda: open_container(settings),
        ops=ops_router(SERVICE, HANDLERS, LEDGER, LEDGER_LINE),
    )


if __name__ == "__main__":
    settings = load(RestSettings, SERVICE)
    serve(build(settings), SERVICE, settings)
