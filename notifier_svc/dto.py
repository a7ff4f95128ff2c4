"""The bodies of notifier_svc's REST API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from chassis.paging import Page
from chassis.rest import Answer
from notifier_svc.domain import Mail, State, Template


class NotificationOut(Answer):
    """A mail and what became of it."""

    id: UUID
    template: Template
    customer_id: UUID
    order_id: UUID | None
    state: State
    attempts: int
    doubts: Annotated[int, Field(description="how often nobody could know whether it had left")]
    error: str | None
    changed_at: datetime


class NotificationsOut(Page[NotificationOut, int]):
    """A page of mails, newest first; ``next`` is the ``before`` of the page that follows, if there is one."""


def notification_out(mail: Mail) -> NotificationOut:
    """A mail as its customer sees it."""
    return NotificationOut(
        id=mail.id,
        template=mail.template,
        customer_id=mail.customer_id,
        order_id=mail.order_id,
        state=mail.state,
        attempts=mail.attempts,
        doubts=mail.doubts,
        error=mail.error,
        changed_at=mail.changed_at,
    )
