"""The REST process of order_svc: ``python -m order_svc.main``."""

from fastapi import FastAPI

from chassis.http.app import create_app, serve
from chassis.http.ops_routes import ops_router
from chassis.http.routing import combine
from chassis.runtime.settings import load
from order_svc import SERVICE
from order_svc.amendments import api as amendments
from order_svc.container import open_container
from order_svc.erasure import queries as erasure
from order_svc.fulfilment import api as fulfilment
from order_svc.handlers import HANDLERS, REPLICAS
from order_svc.orders import api as orders
from order_svc.orders import queries
from order_svc.parcels import api as parcels
from order_svc.returns import api as returns
from order_svc.saga import api as saga
from order_svc.settings import RestSettings
from order_svc.timeline import api as timeline
from order_svc.timeline import exports
from order_svc.timeline.traces import TRACE

ROUTES = combine(
    # Before the route of the same path that returns JSON.
    timeline.streamed,
    *(orders.router, timeline.router, exports.router, amendments.router),
    *(fulfilment.shared, fulfilment.router, parcels.router, returns.router, saga.router),
)


def build(settings: RestSettings) -> FastAPI:
    """The app; its container is opened when it starts."""
    return create_app(
        SERVICE,
        "Shopstream orders",
        ROUTES,
        orders.hot,
        open_container=lambda: open_container(settings),
        origins=settings.origins,
        public_urls=settings.public_urls,
        ops=ops_router(
            *(SERVICE, HANDLERS, (queries.LEDGER, erasure.LEDGER), queries.LEDGER_LINE, TRACE),
            replicas=[replica.name for replica in REPLICAS],
        ),
        on_shutdown=lambda container: container.feed.stop(),
    )


if __name__ == "__main__":
    settings = load(RestSettings, SERVICE)
    serve(build(settings), SERVICE, settings)
