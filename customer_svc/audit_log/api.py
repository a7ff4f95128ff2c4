"""The audit log, for ops."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from chassis.http.auth import Ops
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.paging import PageSize, PositionCursor
from chassis.http.routing import new_router, problems
from customer_svc.audit_log import queries
from customer_svc.audit_log.domain import Action, Outcome
from customer_svc.audit_log.dto import AuditLogOut, audit_entry_out
from customer_svc.container import Database

router = new_router()


@router.get(
    "/v1/audit-log",
    tags=["ops"],
    summary="Read the audit log",
    responses=problems(Unauthenticated, Forbidden),
)
async def read_audit_log(
    _ops: Ops,
    database: Database,
    account_id: Annotated[UUID | None, Query(description="only what this account did, or what was about it")] = None,
    action: Annotated[Action | None, Query(description="only this action")] = None,
    outcome: Annotated[Outcome | None, Query(description="only what was granted, or refused")] = None,
    cursor: PositionCursor = None,
    limit: PageSize = 50,
) -> AuditLogOut:
    """Log-ins, changes of passwords, addresses, one-time codes and accounts, and what staff and ops read of others.

    Newest first. Of clients that are not authenticated, at most 30 entries a minute from one network are stored; the
    metric `shop_security_events` counts all. Entries are kept for half a year, if ops have not set another time.
    """
    found, next_position = await queries.list_entries(database, account_id, action, outcome, cursor, limit)
    return AuditLogOut(items=[audit_entry_out(entry) for entry in found], next=next_position)
