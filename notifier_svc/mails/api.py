"""The notifications API: mails and their delivery. Staff can send a mail again."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Response, status

from chassis.http.access_log import log_access
from chassis.http.auth import Authenticated, Customer, Principal, Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.examples import ID
from chassis.http.headers import sends
from chassis.http.idempotency import Key
from chassis.http.paging import PageSize, PositionCursor
from chassis.http.routing import new_router, problems
from notifier_svc.container import Commit, Database, Previews
from notifier_svc.errors import NotificationNotFound
from notifier_svc.mails import queries
from notifier_svc.mails.commands import ResendMail
from notifier_svc.mails.domain import State, resend_id
from notifier_svc.mails.dto import (
    NotificationDetailOut,
    NotificationOut,
    NotificationsExportOut,
    NotificationsOut,
    ResendBody,
    notification_detail_out,
    notification_out,
)
from notifier_svc.mails.queries import MailFilter
from notifier_svc.rendering.domain import Template
from notifier_svc.replicas.queries import find_customer

router = new_router()

NOTIFICATION = "/v1/notifications/{notification_id}"

IdempotencyKey = Annotated[
    Key,
    Header(
        description="Send the same key to repeat a request safely: each key sends the mail once.",
        examples=[ID],
    ),
]


@router.get("/v1/notifications", tags=["notifications"], summary="List mails", responses=problems(Unauthenticated))
async def list_notifications(
    principal: Authenticated,
    database: Database,
    order_id: Annotated[UUID | None, Query(description="only mails about this order")] = None,
    customer_id: Annotated[UUID | None, Query(description="only mails to this customer (for staff)")] = None,
    template: Annotated[Template | None, Query(description="only mails with this template")] = None,
    state: Annotated[State | None, Query(description="only mails in this state")] = None,
    cursor: PositionCursor = None,
    limit: PageSize = 50,
) -> NotificationsOut:
    """The client's own mails, newest first; for staff, all mails. New mails do not change the pages that follow."""
    wanted = MailFilter(_owner(principal), customer_id, order_id, template, state)
    found, next_position = await queries.list_mails(database, wanted, cursor, limit)
    log_access(principal, "mail.list", customer_id)
    return NotificationsOut(items=[notification_out(mail) for mail in found], next=next_position)


@router.get(
    NOTIFICATION,
    tags=["notifications"],
    summary="Read a mail and its delivery",
    responses=problems(Unauthenticated, NotificationNotFound),
)
async def read_notification(
    notification_id: UUID, principal: Authenticated, database: Database, previews: Previews
) -> NotificationDetailOut:
    """One of the client's own mails; for staff, any mail. The text of mails about accounts is not shown."""
    mail = await queries.get_mail(database, notification_id, _owner(principal))
    log_access(principal, "mail.read", notification_id)
    customer = await find_customer(database, mail.customer_id)
    return notification_detail_out(mail, previews.render(mail.content, customer))


@router.post(
    f"{NOTIFICATION}/resend",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["notifications"],
    summary="Send a mail again",
    responses=problems(Unauthenticated, Forbidden, *ResendMail.errors)
    | sends(202, "Location", "Idempotency-Replayed"),
)
async def resend_notification(
    notification_id: UUID,
    staff: Staff,
    commit: Commit,
    database: Database,
    response: Response,
    idempotency_key: IdempotencyKey,
    body: ResendBody | None = None,
) -> NotificationOut:
    """Send the same content once more, also to another address. The result is a new mail with its own delivery.

    Possible for mails in a final state. A mail about an account goes to its customer only, and only if it was not
    sent; once its link has expired, the customer has to request another. The customer's choice of mails is ignored,
    but nothing is sent to a suppressed address.
    """
    original = await queries.get_mail(database, notification_id, None)
    new_id = resend_id(original.id, staff.id, idempotency_key)
    recipient = body.to if body else None
    mail, replayed = await commit(ResendMail(original.id, original.customer_id, new_id, recipient))
    log_access(staff, "mail.resend", notification_id)
    response.headers["Location"] = f"/v1/notifications/{mail.id}"
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return notification_out(mail)


@router.get(
    "/v1/exports/notifications",
    tags=["exports"],
    summary="Export mails",
    responses=problems(Unauthenticated, Forbidden),
)
async def export_notifications(
    principal: Customer,
    database: Database,
    previews: Previews,
    cursor: PositionCursor = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> NotificationsExportOut:
    """The client's own mails with what they say, newest first.

    `GET /v1/customers/me/export` of the customer service includes them in the complete export.
    """
    found, next_position = await queries.list_mails(database, MailFilter(principal.id), cursor, limit)
    customer = await find_customer(database, principal.id)
    items = [notification_detail_out(mail, previews.render(mail.content, customer)) for mail in found]
    return NotificationsExportOut(items=items, next=next_position)


def _owner(principal: Principal) -> UUID | None:
    return None if principal.role == "staff" else principal.id
