"""Writes the audit log: a count for alerts, a line of the security log, and an entry that ops can read."""

from collections.abc import Sequence
from dataclasses import asdict

import structlog

from chassis.http.errors import Forbidden
from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.security_log import (
    LineLimit,
    count_security_event,
    expose_security_event,
    log_security_event,
)
from customer_svc.audit_log.domain import Action, AuditEntry, Outcome
from customer_svc.audit_log.queries import add_entry
from customer_svc.errors import RefreshTokenInvalid, TooManyAttempts, WrongCode, WrongCredentials

log = structlog.get_logger()

_NOT_DETAILS = ("action", "outcome", "position", "at", "request_id")
"""The fields of an entry that a log line has in another way."""
ALERTED: Sequence[tuple[Action, Outcome, str]] = (
    ("session.open", "refused", WrongCredentials.code),
    ("session.open", "refused", WrongCode.code),
    ("session.open", "refused", TooManyAttempts.code),
    ("session.token_reused", "refused", RefreshTokenInvalid.code),
)
"""What alerts are about (deploy/alerts), exposed from the start: the first time must not be missed."""


class AuditLogWriter:
    """Writes entries; of clients that are not authenticated only so many, however many requests they send."""

    def __init__(self, database: Postgres) -> None:
        self._database, self._limit = database, LineLimit()
        for what in ALERTED:
            expose_security_event(*what)

    async def write(self, entry: AuditEntry) -> None:
        """Count, log and store an entry. Without the database it is logged only."""
        if entry.reason != Forbidden.code:
            # That is counted where it is refused, for routes that are not recorded as well.
            count_security_event(entry.action, entry.outcome, entry.reason)
        if entry.actor is None and not self._limit.admits(entry.source):
            return
        details = {name: value for name, value in asdict(entry).items() if name not in _NOT_DETAILS}
        log_security_event(entry.action, entry.outcome, **details)
        try:
            await add_entry(self._database, entry)
        except DatabaseUnavailable as error:
            log.warning("an entry of the audit log was not stored", action=entry.action, why=str(error)[:200])
