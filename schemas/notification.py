"""The events of notifier_svc: which mails were sent, and which could not be."""

from uuid import UUID

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import NOTIFICATION_EVENTS
from schemas.values import Id

STAFF = UUID("5f0d8a1c-3b67-5e2a-9c41-7d2f0b6e8a90")
"""Takes the place of the customer's id in events about mails to staff."""


@event("notification.mail_sent", topic=NOTIFICATION_EVENTS, key="mail_id")
class MailSent(Event):
    """The mail server took a mail over. ``resend_of`` is the mail that staff had sent once more by this one."""

    mail_id: Id
    template: str = Field(examples=["receipt"])
    customer_id: Id
    order_id: Id | None = None
    resend_of: Id | None = None


@event("notification.mail_failed", topic=NOTIFICATION_EVENTS, key="mail_id")
class MailFailed(Event):
    """A mail was refused for good or left in doubt twice, its address does not exist, or its customer is erased."""

    mail_id: Id
    template: str = Field(examples=["receipt"])
    customer_id: Id
    order_id: Id | None = None
    resend_of: Id | None = None
    reason: str = Field(examples=["550 no such mailbox"])
