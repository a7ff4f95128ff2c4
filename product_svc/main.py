"""The REST process of product_svc: ``python -m product_svc.main``."""

from fastapi import FastAPI

from chassis.http.app import create_app, serve
from chassis.http.examples import ID, MOMENT
from chassis.http.ops_routes import ops_router
from chassis.runtime.settings import load
from product_svc import SERVICE
from product_svc.catalogue import api as catalogue
from product_svc.catalogue.queries import PRODUCT_LEDGER
from product_svc.categories import api as categories
from product_svc.container import open_container
from product_svc.handlers import HANDLERS
from product_svc.imports import api as imports
from product_svc.reservations.queries import RESERVATION_LEDGER
from product_svc.reservations.traces import TRACE
from product_svc.search import api as search
from product_svc.search.queries import OFFER_LEDGER
from product_svc.settings import RestSettings
from product_svc.stock import api as stock
from product_svc.stock.queries import MOVEMENT_LEDGER, STOCK_LEDGER

LEDGER = (PRODUCT_LEDGER, STOCK_LEDGER, OFFER_LEDGER, RESERVATION_LEDGER, MOVEMENT_LEDGER)
"""The service's own records, for the audit."""
LEDGER_LINE = {"kind": "product", "id": ID, "version": 1, "changed_at": MOMENT}


def build(settings: RestSettings) -> FastAPI:
    """The app; its container is opened when it starts."""
    return create_app(
        SERVICE,
        "Shopstream products",
        stock.router,
        categories.router,
        catalogue.router,
        # Later routers match first: ``/v1/products/facets`` is not a product's id.
        search.router,
        imports.router,
        open_container=lambda: open_container(settings),
        origins=settings.origins,
        public_urls=settings.public_urls,
        ops=ops_router(SERVICE, HANDLERS, LEDGER, LEDGER_LINE, TRACE),
    )


if __name__ == "__main__":
    settings = load(RestSettings, SERVICE)
    serve(build(settings), SERVICE, settings)
