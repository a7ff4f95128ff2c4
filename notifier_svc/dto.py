"""The bodies of notifier_svc's REST API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, StringConstraints

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.examples import ID, MOMENT
from chassis.http.paging import Page
from notifier_svc.domain import Mail, State, Suppression, Template, normalised
from notifier_svc.readings import Reading

Id = Annotated[UUID, Field(examples=[ID])]
Moment = Annotated[datetime, Field(examples=[MOMENT])]
Email = Annotated[
    EmailStr, StringConstraints(max_length=254), AfterValidator(normalised), Field(examples=["ada@example.com"])
]
Next = Annotated[int | None, Field(examples=[1234])]


class NotificationOut(ResponseBody):
    """A mail and what became of it."""

    id: Id
    template: Template
    customer_id: Id
    order_id: Id | None
    state: State
    attempts: Annotated[int, Field(examples=[1])]
    doubts: Annotated[int, Field(description="how often nobody could know whether it had left", examples=[0])]
    error: Annotated[str | None, Field(examples=["550 5.1.1 no such mailbox"])]
    recipient: Annotated[
        str | None,
        Field(description="where it goes, if not to the customer's own address", examples=["ada@example.com"]),
    ]
    resend_of: Annotated[Id | None, Field(description="the mail that staff had sent again by this one")]
    changed_at: Moment


class LetterOut(NotificationOut):
    """A mail, what became of it, and what it says."""

    subject: Annotated[
        str | None,
        Field(
            description="null, like the text, of mails about accounts, and where nobody is known to read it",
            examples=["Your order 00009395c3f3 is confirmed"],
        ),
    ]
    text: Annotated[
        str | None,
        Field(
            description="what it says in plain text, with the customer's name and language as they are now",
            examples=["Hello Ada Lovelace,\n\nyour order is confirmed."],
        ),
    ]


class NotificationsOut(Page[NotificationOut, int]):
    """A page of mails, newest first; ``next`` is the ``before`` of the page that follows, if there is one."""

    next: Next


class LettersOut(Page[LetterOut, int]):
    """A page of mails with what they say, newest first; ``next`` is the ``before`` of the page that follows."""

    next: Next


class Resending(RequestBody):
    """Where a mail is to go this time; without it, to the customer's address as it is now."""

    to: Email | None = None


class SuppressionOut(ResponseBody):
    """An address that nothing is sent to. ``id`` is that of the mail that was refused."""

    id: Id
    email: Annotated[str, Field(examples=["ada@example.com"])]
    reason: Annotated[str, Field(examples=["550 5.1.1 no such mailbox"])]
    since: Moment


class SuppressionsOut(Page[SuppressionOut, int]):
    """A page of them, the latest first; ``next`` is the ``before`` of the page that follows, if there is one."""

    next: Next


def letter_out(mail: Mail, reading: Reading | None) -> LetterOut:
    """A mail with what it says."""
    subject, text = (reading.subject, reading.text) if reading else (None, None)
    return LetterOut(**dict(notification_out(mail)), subject=subject, text=text)


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
        recipient=mail.recipient,
        resend_of=mail.resend_of,
        changed_at=mail.changed_at,
    )


def suppression_out(suppression: Suppression) -> SuppressionOut:
    """A suppressed address as staff see it."""
    return SuppressionOut(
        id=suppression.mail_id, email=suppression.email, reason=suppression.reason, since=suppression.since
    )
