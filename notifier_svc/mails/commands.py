"""Mails that enter the ledger: caused by events, or sent again by staff.

A mail waits in the ledger until its customer is known. A mail to an erased customer enters it anonymised, and fails.
A replay can be set to send no mails: they enter the ledger as withheld.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

from chassis.http.errors import IdempotencyKeyReused
from chassis.messaging.handlers import OnRepeat
from notifier_svc.errors import MailInProgress, MailLinkExpired, MailNotResendable, NotificationNotFound
from notifier_svc.mails.domain import Mail, compose, farewell
from notifier_svc.mails.triggers import (
    LINK_MAILS,
    NOTICES,
    ORDER_MAILS,
    WARNINGS,
    LinkMail,
    OrderMail,
    mail_ids,
    recipient_of,
)
from notifier_svc.replicas.commands import UpdateEmail, UpsertCustomer, is_erased
from notifier_svc.replicas.domain import Customer
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import (
    STAFF,
    CustomerRegistered,
    EmailChanged,
    EmailChangeReverted,
    Envelope,
    MailFailed,
    StockLow,
)


@dataclass(frozen=True, slots=True)
class QueueOrderMail:
    """Mail the customer what happened to an order (``ORDER_MAILS``), with everything that the event says."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[Any]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail, which may be queued already, and its customer."""
        uow.mails.prefetch(*mail_ids(self.envelope))
        uow.customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """The same fact under another event id queues no second mail."""
        event, context = self.envelope.event, self.envelope.event.model_dump(mode="json")
        key = self._mail.key(event)
        queue(uow, compose(self._mail.template, event.customer_id, key, event.order_id, context, uow.now))

    @property
    def _mail(self) -> OrderMail:
        return ORDER_MAILS[type(self.envelope.event)]


@dataclass(frozen=True, slots=True)
class QueueLinkMail:
    """Mail a link (``LINK_MAILS``). The ledger keeps the id of the link, and no token."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[Any]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail, which may be queued already, and its customer."""
        if mails := mail_ids(self.envelope):
            uow.mails.prefetch(*mails)
            uow.customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """An event without a link queues no mail."""
        event = self.envelope.event
        if link := self._mail.link(event):
            context = {name: getattr(event, name) for name in self._mail.facts}
            context["link"] = {**link.model_dump(mode="json"), "purpose": self._mail.purpose}
            mail = compose(self._mail.template, event.customer_id, str(link.link_id), None, context, uow.now)
            queue(uow, replace(mail, recipient=recipient_of(event)))

    @property
    def _mail(self) -> LinkMail:
        return LINK_MAILS[type(self.envelope.event)]


@dataclass(frozen=True, slots=True)
class QueueNotice:
    """Mail the customer what happened to the account (``NOTICES``), for each event."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[Any]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail, which a replay finds in the ledger, and its customer."""
        uow.mails.prefetch(*mail_ids(self.envelope))
        uow.customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """The id of the mail is derived from the id of the event, so each event queues one."""
        event, key = self.envelope.event, str(self.envelope.id)
        context = event.model_dump(mode="json", exclude={"customer_id", "email", "removed_email"})
        mail = compose(NOTICES[type(event)], event.customer_id, key, None, context, uow.now)
        queue(uow, replace(mail, recipient=recipient_of(event)))


@dataclass(frozen=True, slots=True)
class WarnStaff:
    """Mail the staff that stock is low (``WARNINGS``), for each event. A warning about the past helps nobody."""

    on_repeat: ClassVar[OnRepeat] = "refuse"
    envelope: Envelope[StockLow]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The mail, which is new, and the staff."""
        uow.mails.prefetch(*mail_ids(self.envelope))
        uow.customers.prefetch(STAFF)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """The id of the mail is derived from the id of the event, so each event queues one."""
        event, key = self.envelope.event, str(self.envelope.id)
        queue(uow, compose(WARNINGS[type(event)], STAFF, key, None, event.model_dump(mode="json"), uow.now))


@dataclass(frozen=True, slots=True)
class WelcomeCustomer:
    """Keep the address of a new customer, and mail the link that confirms it."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[CustomerRegistered]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """What the two parts need."""
        UpsertCustomer(self.envelope).prefetch(uow)
        QueueLinkMail(self.envelope).prefetch(uow)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """Both in one transaction."""
        UpsertCustomer(self.envelope).execute(uow)
        QueueLinkMail(self.envelope).execute(uow)


@dataclass(frozen=True, slots=True)
class MoveCustomer:
    """Keep the other address of a customer, and mail the address that they do not have any more.

    Mails that are due go to the address that the customer has when they are sent, so these follow.
    """

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[EmailChanged] | Envelope[EmailChangeReverted]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """What the two parts need."""
        for part in self._parts:
            part.prefetch(uow)

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """Both in one transaction."""
        for part in self._parts:
            part.execute(uow)

    @property
    def _parts(self) -> Sequence[UpdateEmail | QueueLinkMail | QueueNotice]:
        queue_mail = QueueLinkMail if isinstance(self.envelope.event, EmailChanged) else QueueNotice
        return UpdateEmail(self.envelope), queue_mail(self.envelope)


@dataclass(frozen=True, slots=True)
class ResendMail:
    """Send a mail in a final state again, as another mail, also to another address."""

    errors: ClassVar = (
        *(NotificationNotFound, MailInProgress, MailNotResendable, MailLinkExpired),
        IdempotencyKeyReused,
    )

    mail_id: UUID
    customer_id: UUID
    resend_id: UUID
    """The id of the new mail, derived from the idempotency key."""
    recipient: str | None
    """The address, if it is not the customer's own."""

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """Both mails, and their customer."""
        uow.mails.prefetch(self.mail_id, self.resend_id)
        uow.customers.prefetch(self.customer_id)

    def execute(self, uow: NotifierUnitOfWork) -> tuple[Mail, bool]:
        """The new mail, and whether it is the result of an earlier request with the same key."""
        original = uow.mails.get(self.mail_id)
        if original is None:
            raise NotificationNotFound
        if known := uow.mails.get(self.resend_id):
            if known.recipient != original.recipient_again(self.recipient):
                raise IdempotencyKeyReused
            return known, True
        if is_erased(uow, original.customer_id):
            raise MailNotResendable
        mail = replace(original.resend(self.resend_id, self.recipient, uow.now), trace=uow.trace)
        uow.mails.set(mail.id, mail)
        return mail, False


def queue(uow: NotifierUnitOfWork, mail: Mail) -> None:
    """Enter a mail in the ledger; one that is there already is not sent again."""
    if uow.mails.get(mail.id) is None:
        mail = replace(mail.withhold() if uow.withhold_mails else mail, trace=uow.trace)
        save_outcome(uow, mail.anonymise(uow.now) if is_erased(uow, mail.customer_id) else (mail, None))


def queue_confirmation(uow: NotifierUnitOfWork, customer: Customer) -> None:
    """Confirm an erasure to the address that the customer had until now."""
    mail = replace(farewell(customer, uow.now), trace=uow.trace)
    if uow.mails.get(mail.id) is None:
        uow.mails.set(mail.id, mail.withhold() if uow.withhold_mails else mail)


def save_outcome(uow: NotifierUnitOfWork, outcome: tuple[Mail, MailFailed | None]) -> None:
    """Save what became of a mail, and publish it if it failed."""
    mail, event = outcome
    uow.mails.set(mail.id, mail)
    if event:
        uow.emit(event, 1, mail.changed_at)
