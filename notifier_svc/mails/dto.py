"""The bodies of the notifications API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, StringConstraints

from chassis.email_address import normalised_email
from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.paging import Page
from notifier_svc.mails.domain import Mail, State
from notifier_svc.rendering.domain import Template
from notifier_svc.rendering.previews import MailPreview

Email = Annotated[
    EmailStr, StringConstraints(max_length=254), AfterValidator(normalised_email), Field(examples=["ada@example.com"])
]
Next = Annotated[int | None, Field(examples=[1234])]


class NotificationOut(ResponseBody):
    """A mail and its delivery."""

    id: UUID
    template: Template
    customer_id: UUID
    order_id: UUID | None
    state: Annotated[
        State,
        Field(
            description="final are `sent`, `failed`, `suppressed` (its address does not exist), `unwanted` (its"
            " customer has switched off such mails) and `withheld` (queued by a replay that sends no mails)"
        ),
    ]
    attempts: Annotated[int, Field(examples=[1])]
    doubts: Annotated[int, Field(description="how often it was unknown whether the mail was sent", examples=[0])]
    error: Annotated[
        str | None,
        Field(description="why the last attempt did not succeed", examples=["550 5.1.1 no such mailbox"]),
    ]
    recipient: Annotated[
        str | None,
        Field(description="the address, if it is not the customer's own", examples=["ada@example.com"]),
    ]
    resend_of: Annotated[UUID | None, Field(description="the mail that staff sent again with this one")]
    changed_at: datetime


class NotificationDetailOut(NotificationOut):
    """A mail, its delivery, and what it says."""

    subject: Annotated[
        str | None,
        Field(
            description="null, like the text, for mails about accounts and mails to unknown or erased customers",
            examples=["Your order 00009395c3f3 is confirmed"],
        ),
    ]
    text: Annotated[
        str | None,
        Field(
            description="the plain text, with the name and language of the customer as they are now",
            examples=["Hello Ada Lovelace,\n\nThank you for your order."],
        ),
    ]


class NotificationsOut(Page[NotificationOut, int]):
    """A page of mails, newest first; ``next`` is the ``cursor`` of the next page, if there is one."""

    next: Next


class NotificationsExportOut(Page[NotificationDetailOut, int]):
    """A page of mails with what they say, newest first; ``next`` is the ``cursor`` of the next page."""

    next: Next


class ResendBody(RequestBody):
    """The address to send the mail to; without it, the customer's current address."""

    to: Email | None = None


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


def notification_detail_out(mail: Mail, preview: MailPreview | None) -> NotificationDetailOut:
    """A mail with what it says."""
    subject, text = (preview.subject, preview.text) if preview else (None, None)
    return NotificationDetailOut(**dict(notification_out(mail)), subject=subject, text=text)
