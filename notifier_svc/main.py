"""The REST process of notifier_svc: ``python -m notifier_svc.main``."""

from fastapi import FastAPI

from chassis.http.app import create_app, serve
from chassis.http.ops_routes import ops_router
from chassis.runtime.settings import load
from notifier_svc import SERVICE
from notifier_svc.container import open_container
from notifier_svc.erasure.queries import LEDGER as ERASURES
from notifier_svc.handlers import HANDLERS, REPLICAS
from notifier_svc.mails.api import router as mails
from notifier_svc.mails.queries import LEDGER as MAILS
from notifier_svc.mails.queries import LEDGER_EXAMPLE
from notifier_svc.mails.traces import TRACE
from notifier_svc.settings import RestSettings
from notifier_svc.suppressions.api import router as suppressions


def build(settings: RestSettings) -> FastAPI:
    """The app; its container is opened when it starts."""
    return create_app(
        SERVICE,
        "Shopstream notifications",
        mails,
        suppressions,
        open_container=lambda: open_container(settings),
        origins=settings.origins,
        public_urls=settings.public_urls,
        ops=ops_router(
            *(SERVICE, HANDLERS, (MAILS, ERASURES), LEDGER_EXAMPLE, TRACE),
            replicas=[replica.name for replica in REPLICAS],
        ),
    )


if __name__ == "__main__":
    settings = load(RestSettings, SERVICE)
    serve(build(settings), SERVICE, settings)
