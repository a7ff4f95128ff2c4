"""The REST process of customer_svc: ``python -m customer_svc.main``."""

from fastapi import FastAPI

from chassis.http.app import create_app, serve
from chassis.http.ops_routes import ops_router
from chassis.runtime.settings import load
from customer_svc import SERVICE, pages
from customer_svc.api import router
from customer_svc.container import open_container
from customer_svc.handlers import HANDLERS
from customer_svc.queries import LEDGER, LEDGER_LINE
from customer_svc.settings import Settings


def build(settings: Settings) -> FastAPI:
    """The app; its container is opened when it starts."""
    return create_app(
        SERVICE,
        "Shopstream customers",
        router,
        pages.router,
        open_container=lambda: open_container(settings),
        ops=ops_router(SERVICE, HANDLERS, LEDGER, LEDGER_LINE),
    )


if __name__ == "__main__":
    settings = load(Settings, SERVICE)
    serve(build(settings), SERVICE, settings)
