"""What customer_svc knows of a customer: the state of the account. Its part of a trace.

It is the one service that knows whose an e-mail address is. An address is sent in a body and never in a URL: proxies
and clients write URLs to their logs.
"""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http.auth import Ops
from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.errors import Forbidden, NotFound, Unauthenticated
from chassis.http.examples import ID, MOMENT
from chassis.http.routing import new_router
from chassis.http.trace_routes import TracePart
from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.domain import Account, AccountStatus, Role
from customer_svc.accounts.dto import Email
from customer_svc.accounts.queries import account_by_email, account_by_id
from customer_svc.audit_log.recording import RequestAudit, audited
from customer_svc.container import Database


class TracedAccountOut(ResponseBody):
    """An account; neither its name nor its addresses. `version` is the number of events published about it."""

    id: UUID
    role: Role
    status: AccountStatus
    version: Annotated[int, Field(examples=[1])]
    verified_at: Annotated[datetime | None, Field(description="when the e-mail address was confirmed")]
    changed_at: datetime


_ACCOUNT = {
    **{"id": ID, "role": "customer", "status": "active", "version": 2},
    **{"verified_at": MOMENT, "changed_at": MOMENT},
}


class AccountTraceOut(ResponseBody):
    """The account with this id or e-mail address. The key is always the id."""

    key: UUID | None
    account: Annotated[TracedAccountOut | None, Field(examples=[_ACCOUNT])]


class TraceBody(RequestBody):
    """Whose trace to read."""

    email: Email


router = new_router(Unauthenticated, Forbidden, prefix="/v1/ops", tags=["ops"])


@router.post("/traces", summary="Find a customer by e-mail address", dependencies=[audited("account.find")])
async def find_account(body: TraceBody, _ops: Ops, database: Database, audit: RequestAudit) -> AccountTraceOut:
    """The account with this e-mail address; `null` if there is none. It changes nothing, so it needs no key.

    The address is not in the URL, because proxies write URLs to their logs.
    """
    account = await account_by_email(database, body.email)
    audit.subject = account.id if account else None
    return AccountTraceOut(key=account.id if account else None, account=_account_out(account))


async def account_trace(database: Postgres, key: UUID, _customer_id: UUID | None) -> AccountTraceOut:
    """The account with this id."""
    try:
        account = await account_by_id(database, key)
    except NotFound:
        account = None
    return AccountTraceOut(key=key, account=_account_out(account))


def _account_out(account: Account | None) -> TracedAccountOut | None:
    if account is None:
        return None
    return TracedAccountOut(
        id=account.id,
        role=account.role,
        status=account.status,
        version=account.version,
        verified_at=account.verified_at,
        changed_at=account.changed_at,
    )


TRACE = TracePart("The account of the customer with this id.", AccountTraceOut, account_trace)
