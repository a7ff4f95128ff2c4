"""Bodies of the audit log."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.examples import ID
from chassis.http.paging import Page
from customer_svc.audit_log.domain import Action, AuditEntry, Outcome


class AuditEntryOut(ResponseBody):
    """Something that somebody did, or was not allowed to do."""

    position: Annotated[int, Field(examples=[42])]
    at: datetime
    action: Action
    outcome: Outcome
    reason: Annotated[
        str, Field(description="the code of the error, of what was refused", examples=["wrong_credentials"])
    ]
    actor: Annotated[UUID | None, Field(description="the account that did it, if the client was authenticated")]
    role: Annotated[str | None, Field(description="the actor's role", examples=["staff"])]
    subject: Annotated[UUID | None, Field(description="the account that it was about, if it is not the actor's own")]
    source: Annotated[
        str,
        Field(
            description="the network that the request came from: an IPv4 address, or a /64 of IPv6",
            examples=["198.51.100.7"],
        ),
    ]
    request_id: Annotated[str, Field(examples=[ID])]
    why: Annotated[str | None, Field(description="the reason that ops gave", examples=["left the company"])]


class AuditLogOut(Page[AuditEntryOut, int]):
    """A page of the audit log, newest first."""

    next: Annotated[int | None, Field(examples=[42])]


def audit_entry_out(entry: AuditEntry) -> AuditEntryOut:
    """The body of an entry."""
    assert entry.at is not None
    return AuditEntryOut(
        position=entry.position,
        at=entry.at,
        action=entry.action,
        outcome=entry.outcome,
        reason=entry.reason,
        actor=entry.actor,
        role=entry.role,
        subject=entry.subject,
        source=entry.source,
        request_id=entry.request_id,
        why=entry.why,
    )
