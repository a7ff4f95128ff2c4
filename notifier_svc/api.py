"""The routes of notifier_svc."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from chassis.auth import Authenticated, Principal
from chassis.errors import Unauthenticated
from chassis.rest import new_router, problems, state
from chassis.sql import Postgres
from notifier_svc import queries
from notifier_svc.dto import NotificationOut, NotificationsOut, notification_out
from notifier_svc.errors import NotificationUnknown

router = new_router()

Database = Annotated[Postgres, state("database")]


@router.get(
    "/v1/notifications", tags=["notifications"], summary="List one's mails", responses=problems(Unauthenticated)
)
async def list_notifications(
    principal: Authenticated,
    database: Database,
    order_id: Annotated[UUID | None, Query(description="only mails about this order")] = None,
    before: Annotated[int | None, Query(ge=0, lt=2**63, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> NotificationsOut:
    """One's own mails, newest first; everybody's for staff."""
    found, more = await queries.notifications(database, _owner(principal), order_id, before, limit)
    return NotificationsOut(items=[notification_out(mail) for mail in found], next=more)


@router.get(
    "/v1/notifications/{notification_id}",
    tags=["notifications"],
    summary="Read what became of a mail",
    responses=problems(Unauthenticated, NotificationUnknown),
)
async def read_notification(notification_id: UUID, principal: Authenticated, database: Database) -> NotificationOut:
    """One of one's own mails; anybody's for staff."""
    return notification_out(await queries.notification(database, notification_id, _owner(principal)))


def _owner(principal: Principal) -> UUID | None:
    return None if principal.role == "staff" else principal.id
