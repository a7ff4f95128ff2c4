"""Which event causes which mail, and the id of that mail in the ledger."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.email_address import normalised_email
from chassis.link_tokens import Purpose
from notifier_svc.mails.domain import CONFIRMATION, mail_id
from notifier_svc.rendering.domain import AccountTemplate, OrderTemplate, StaffTemplate
from schemas import (
    STAFF,
    AmendmentAccepted,
    AmendmentRefused,
    CustomerErased,
    CustomerRegistered,
    EmailChanged,
    EmailChangeRequested,
    EmailChangeReverted,
    Envelope,
    Event,
    MailedLink,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    ParcelFailed,
    PasswordChanged,
    PasswordResetRequested,
    RegistrationRepeated,
    RemainderCancelled,
    ReturnApproved,
    ReturnDeclined,
    ReturnRequested,
    StockLow,
    TrackingCorrected,
    VerificationRequested,
)


@dataclass(frozen=True, slots=True)
class OrderMail:
    """A mail about an order, sent once for each combination of values of ``key_fields``."""

    template: OrderTemplate
    key_fields: tuple[str, ...] = ("order_id",)

    def key(self, event: Any) -> str:
        """What the mail is about."""
        return " ".join(str(getattr(event, name)) for name in self.key_fields)


@dataclass(frozen=True, slots=True)
class LinkMail:
    """A mail with a link, sent once for each link."""

    template: AccountTemplate
    purpose: Purpose
    """What the link is for, and the field of the event that has it."""
    facts: tuple[str, ...] = ()
    """Fields of the event that the mail depends on as well."""

    def link(self, event: Any) -> MailedLink | None:
        """The link; an event without one causes no mail."""
        found: MailedLink | None = getattr(event, self.purpose)
        return found


ORDER_MAILS: Mapping[type[Event], OrderMail] = {
    OrderConfirmed: OrderMail("receipt"),
    OrderRejected: OrderMail("rejected"),
    OrderCancelled: OrderMail("cancelled"),
    OrderShipped: OrderMail("shipped", ("shipment_id",)),
    RemainderCancelled: OrderMail("remainder_cancelled"),
    TrackingCorrected: OrderMail("tracking_corrected", ("correction_id",)),
    ParcelFailed: OrderMail("parcel_failed", ("shipment_id",)),
    OrderDelivered: OrderMail("delivered"),
    ReturnRequested: OrderMail("return_requested", ("request_id",)),
    ReturnApproved: OrderMail("return_approved", ("request_id",)),
    ReturnDeclined: OrderMail("return_declined", ("request_id",)),
    OrderReturned: OrderMail("return_received", ("return_id",)),
    AmendmentAccepted: OrderMail("order_amended", ("order_id", "revision")),
    AmendmentRefused: OrderMail("amendment_refused", ("order_id", "revision")),
}

LINK_MAILS: Mapping[type[Event], LinkMail] = {
    CustomerRegistered: LinkMail("welcome", "verify"),
    VerificationRequested: LinkMail("verification", "verify"),
    PasswordResetRequested: LinkMail("password_reset", "reset"),
    EmailChangeRequested: LinkMail("email_change", "change", ("taken",)),
    EmailChanged: LinkMail("email_changed", "revert"),
}

NOTICES: Mapping[type[Event], AccountTemplate] = {
    RegistrationRepeated: "registration_repeated",
    PasswordChanged: "password_changed",
    EmailChangeReverted: "email_change_reverted",
}
"""Mails to customers that are sent for each event, because the same can happen again."""

RECIPIENTS: Mapping[type[Event], str] = {
    EmailChangeRequested: "email",
    EmailChanged: "old_email",
    EmailChangeReverted: "removed_email",
}
"""Events whose mail goes to an address that is not the customer's own: the field that has it."""

WARNINGS: Mapping[type[Event], StaffTemplate] = {StockLow: "low_stock"}
"""Mails to staff, which are sent for each event too."""


def recipient_of(event: Any) -> str | None:
    """The address of the mail that an event causes, if it is not the customer's own."""
    return normalised_email(getattr(event, RECIPIENTS[type(event)])) if type(event) in RECIPIENTS else None


def mail_ids(envelope: Envelope[Any]) -> tuple[UUID, ...]:
    """The ids of the mails that an event causes: one or none. The same event always has the same."""
    event, kind = envelope.event, type(envelope.event)
    if order_mail := ORDER_MAILS.get(kind):
        return (mail_id(order_mail.template, event.customer_id, order_mail.key(event)),)
    if link_mail := LINK_MAILS.get(kind):
        link = link_mail.link(event)
        return (mail_id(link_mail.template, event.customer_id, str(link.link_id)),) if link else ()
    if notice := NOTICES.get(kind):
        return (mail_id(notice, event.customer_id, str(envelope.id)),)
    if warning := WARNINGS.get(kind):
        return (mail_id(warning, STAFF, str(envelope.id)),)
    if kind is CustomerErased:
        return (mail_id(CONFIRMATION, event.customer_id, ""),)
    return ()
