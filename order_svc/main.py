"""The REST process of order_svc: ``python -m order_svc.main``."""

from fastapi import FastAPI

from chassis.http.app import create_app, serve
from chassis.http.ops_routes import ops_router
from chassis.runtime.settings import load
from order_svc import SERVICE
from order_svc.api import hot, router
from order_svc.container import open_container
from order_svc.handlers import HANDLERS
from order_svc.queries import LEDGER, LEDGER_LINE
from order_svc.settings import RestSettings


def build(settings: RestSettings) -> FastAPI:
    """The app; its container is opened when it starts."""
    return create_app(
        SERVICE,
        "Shopstream orders",
        router,
        hot,
        open_container=lambda: open_container(settings),
        ops=ops_router(SERVICE, HANDLERS, LEDGER, LEDGER_LINE),
        on_shutdown=lambda container: container.watch.end(),
    )


if __name__ == "__main__":
    settings = load(RestSettings, SERVICE)
    serve(build(settings), SERVICE, settings)
