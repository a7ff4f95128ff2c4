"""Records requests in the audit log.

``audited(action)`` among the dependencies of a route records each of its requests: granted or, with the code of its
error, refused. Malformed requests are not recorded. An entry is written when the outcome is known, and not in the
transaction of the change: refusals change nothing, and the log line is there even without the database.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request

from chassis.http.auth import Principal
from chassis.http.errors import ShopError
from customer_svc.audit_log.domain import Action, AuditEntry, Outcome
from customer_svc.audit_log.writer import AuditLogWriter
from customer_svc.container import AuditLog, ClientNetwork


@dataclass
class Audit:
    """What is known about one request so far."""

    writer: AuditLogWriter
    source: str
    request_id: str
    actor: Principal | None = None
    """The account that sent it, as soon as it is authenticated."""
    subject: UUID | None = None
    """The account that it is about, if it is not the actor's own."""
    why: str | None = None

    async def record(self, action: Action, outcome: Outcome, reason: str = "") -> None:
        """Record the request."""
        actor = self.actor
        entry = AuditEntry(
            action,
            outcome,
            reason,
            actor=actor.id if actor else None,
            role=actor.role if actor else None,
            subject=self.subject,
            source=self.source,
            request_id=self.request_id,
            why=self.why,
        )
        await self.writer.write(entry)


async def _audit(request: Request, writer: AuditLog, network: ClientNetwork) -> Audit:
    named = request.path_params.get("customer_id") or request.path_params.get("account_id")
    return Audit(writer, network, request.scope["state"]["request_id"], subject=_id(named))


RequestAudit = Annotated[Audit, Depends(_audit)]
"""The audit of the request, for routes that know more about it; the same object everywhere in a request."""


def audited(action: Action) -> Any:
    """A dependency that records the request."""

    async def record(request: Request, audit: RequestAudit) -> AsyncIterator[None]:
        try:
            yield
        except ShopError as error:
            audit.actor = audit.actor or request.scope["state"].get("principal")
            await audit.record(action, "refused", error.code)
            raise
        audit.actor = audit.actor or request.scope["state"].get("principal")
        await audit.record(action, "granted")

    # Not after the response: a client that has it may read the log.
    return Depends(record, scope="function")


def _id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
