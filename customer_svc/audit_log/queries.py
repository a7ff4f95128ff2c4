"""Writing and reading the audit log."""

from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.paging import read_page
from customer_svc.audit_log.domain import Action, AuditEntry, Outcome
from customer_svc.audit_log.store import audit_log

_COLUMNS = ("action", "outcome", "reason", "actor", "role", "subject", "source", "request_id", "why")


async def add_entry(database: Postgres, entry: AuditEntry) -> None:
    """Store an entry; raise ``DatabaseUnavailable``."""
    async with database.reading() as connection:
        await connection.execute(sa.insert(audit_log).values({name: getattr(entry, name) for name in _COLUMNS}))


async def list_entries(
    database: Postgres,
    account_id: UUID | None,
    action: Action | None,
    outcome: Outcome | None,
    before: int | None,
    limit: int,
) -> tuple[list[AuditEntry], int | None]:
    """A page of the log, newest first: what an account did, and what was done to it."""
    query = sa.select(audit_log)
    if account_id:
        query = query.where(sa.or_(audit_log.c.actor == account_id, audit_log.c.subject == account_id))
    if action:
        query = query.where(audit_log.c.action == action)
    if outcome:
        query = query.where(audit_log.c.outcome == outcome)
    return await read_page(
        database, query, audit_log.c.position, before, limit, lambda row: AuditEntry(**row._asdict())
    )
