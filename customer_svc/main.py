"""The REST process of customer_svc: ``python -m customer_svc.main``."""

from fastapi import FastAPI

from chassis.http.app import create_app, serve
from chassis.http.ops_routes import ops_router
from chassis.http.routing import combine
from chassis.runtime.settings import load
from customer_svc import SERVICE
from customer_svc.accounts import api as accounts
from customer_svc.accounts import traces
from customer_svc.accounts.queries import LEDGER as ACCOUNTS
from customer_svc.accounts.queries import LEDGER_LINE
from customer_svc.audit_log import api as audit_log
from customer_svc.container import open_container
from customer_svc.email_changes import api as email_changes
from customer_svc.erasure import api as erasure
from customer_svc.erasure.queries import LEDGER as ERASURES
from customer_svc.exports import api as exports
from customer_svc.handlers import HANDLERS
from customer_svc.pages import api as pages
from customer_svc.passwords import api as passwords
from customer_svc.profiles import api as profiles
from customer_svc.registration import api as registration
from customer_svc.sessions import api as sessions
from customer_svc.settings import Settings
from customer_svc.staff import api as staff
from customer_svc.tokens import api as tokens
from customer_svc.totp import api as totp

# Staff last: /v1/customers/me must match before /v1/customers/{customer_id}.
router = combine(
    registration.router,
    tokens.router,
    sessions.router,
    totp.router,
    passwords.router,
    accounts.router,
    profiles.router,
    email_changes.router,
    exports.router,
    erasure.router,
    audit_log.router,
    staff.router,
    traces.router,
)


def build(settings: Settings) -> FastAPI:
    """The app; its container is opened when it starts."""
    return create_app(
        SERVICE,
        "Shopstream customers",
        router,
        pages.router,
        open_container=lambda: open_container(settings),
        origins=settings.origins,
        public_urls=settings.public_urls,
        ops=ops_router(SERVICE, HANDLERS, (*ACCOUNTS, *ERASURES), LEDGER_LINE, traces.TRACE),
    )


if __name__ == "__main__":
    settings = load(Settings, SERVICE)
    serve(build(settings), SERVICE, settings)
