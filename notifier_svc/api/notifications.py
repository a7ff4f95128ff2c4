"""Mails, and what became of them; staff send one again."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Response, status

from chassis.http.auth import Authenticated, Principal, Staff
from chassis.http.errors import Forbidden, IdempotencyKeyReused, Unauthenticated
from chassis.http.examples import ID
from chassis.http.headers import sends
from chassis.http.idempotency import Key
from chassis.http.routing import new_router, problems
from notifier_svc import queries
from notifier_svc.api.needs import Before, Limit
from notifier_svc.commands import resend
from notifier_svc.container import Commit, Database, Reads
from notifier_svc.domain import State, Template, resend_id
from notifier_svc.dto import LetterOut, NotificationOut, NotificationsOut, Resending, letter_out, notification_out
from notifier_svc.errors import NotEnded, NotificationUnknown, NotResendable
from notifier_svc.queries import Sought
from notifier_svc.store import Ledger

router = new_router()

NOTIFICATION = "/v1/notifications/{notification_id}"

IdempotencyKey = Annotated[
    Key,
    Header(
        description="Send the same key to repeat a request safely: the mail is sent once more for each key.",
        examples=[ID],
    ),
]


@router.get(
    "/v1/notifications", tags=["notifications"], summary="List one's mails", responses=problems(Unauthenticated)
)
async def list_notifications(
    principal: Authenticated,
    database: Database,
    order_id: Annotated[UUID | None, Query(description="only mails about this order")] = None,
    customer_id: Annotated[UUID | None, Query(description="only mails to this customer (for staff)")] = None,
    template: Annotated[Template | None, Query(description="only mails of this kind")] = None,
    state: Annotated[State | None, Query(description="only mails of which this became")] = None,
    before: Before = None,
    limit: Limit = 50,
) -> NotificationsOut:
    """One's own mails, newest first; everybody's for staff. A page stays the same when others are made."""
    sought = Sought(_owner(principal), customer_id, order_id, template, state)
    found, more = await queries.notifications(database, sought, before, limit)
    return NotificationsOut(items=[notification_out(mail) for mail in found], next=more)


@router.get(
    NOTIFICATION,
    tags=["notifications"],
    summary="Read a mail, and what became of it",
    responses=problems(Unauthenticated, NotificationUnknown),
)
async def read_notification(
    notification_id: UUID, principal: Authenticated, database: Database, readings: Reads
) -> LetterOut:
    """One of one's own mails; anybody's for staff. What mails about accounts say stands in the mailbox alone."""
    mail = await queries.notification(database, notification_id, _owner(principal))
    return letter_out(mail, readings.of(mail, await queries.customer(database, mail.customer_id)))


@router.post(
    f"{NOTIFICATION}/resend",
    status_code=status.HTTP_202_ACCEPTED,
    tags=["notifications"],
    summary="Send a mail again",
    responses=problems(
        *(Unauthenticated, Forbidden, NotificationUnknown, NotEnded, NotResendable, IdempotencyKeyReused),
    )
    | sends(202, "Location", "Idempotency-Replayed"),
)
async def resend_notification(
    notification_id: UUID,
    staff: Staff,
    commit: Commit,
    database: Database,
    response: Response,
    idempotency_key: IdempotencyKey,
    body: Resending | None = None,
) -> NotificationOut:
    """The same mail once more, also to another address: a mail of its own, whose fate is read as any other's.

    Only mails that have ended, and none about an account: its customer asks for another. The preferences of the
    customer do not hold it up; a suppressed address does.
    """
    original = await queries.notification(database, notification_id, None)
    made_id = resend_id(original.id, staff.id, idempotency_key)

    def wants(ledger: Ledger) -> None:
        ledger.mails.prefetch(original.id, made_id)
        ledger.customers.prefetch(original.customer_id)

    recipient = body.to if body else None
    made, repeated = await commit(lambda ledger: resend(ledger, original.id, made_id, recipient), wants)
    response.headers["Location"] = f"/v1/notifications/{made.id}"
    if repeated:
        response.headers["Idempotency-Replayed"] = "true"
    return notification_out(made)


def _owner(principal: Principal) -> UUID | None:
    return None if principal.role == "staff" else principal.id
