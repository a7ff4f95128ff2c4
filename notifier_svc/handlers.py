"""What notifier_svc does when others tell it something."""

from collections.abc import Callable
from typing import Any, TypeVar

from chassis.consumer import Handler, Handlers
from chassis.links import Purpose
from notifier_svc.commands import forget_customer, learn_customer, queue_mail, rename_customer
from notifier_svc.domain import AccountTemplate, Customer, OrderTemplate, compose, mail_id
from notifier_svc.store import Ledger
from schemas import (
    CustomerErased,
    CustomerRegistered,
    Envelope,
    MailedLink,
    OrderCancelled,
    OrderConfirmed,
    OrderRejected,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationRepeated,
    VerificationRequested,
)

OrderEnded = OrderConfirmed | OrderRejected | OrderCancelled
Linked = CustomerRegistered | VerificationRequested | PasswordResetRequested
Noticed = RegistrationRepeated | PasswordChanged

L = TypeVar("L", bound=Linked)


def learn_address(ledger: Ledger, envelope: Envelope[CustomerRegistered]) -> None:
    """Somebody opened an account: mails to them have an address now."""
    event = envelope.event
    version = envelope.aggregate_version
    learn_customer(ledger, Customer(event.customer_id, event.email, event.name, version, event.locale))


def learn_name(ledger: Ledger, envelope: Envelope[ProfileChanged]) -> None:
    """A customer wants to be addressed in another way."""
    event = envelope.event
    rename_customer(ledger, event.customer_id, event.name, event.locale, envelope.aggregate_version)


def forget_address(ledger: Ledger, envelope: Envelope[CustomerErased]) -> None:
    """A customer is to be forgotten: nothing personal stays in the ledger."""
    forget_customer(ledger, envelope.event.customer_id, envelope.aggregate_version)


def its_customer(ledger: Ledger, event: CustomerRegistered | ProfileChanged | CustomerErased) -> None:
    """Wants our copy of the customer."""
    ledger.customers.want(event.customer_id)


def mail(template: OrderTemplate) -> Handler[Ledger, OrderEnded]:
    """Mails the customer about the order, with everything that the event says of it; once per order."""

    def queue(ledger: Ledger, envelope: Envelope[OrderEnded]) -> None:
        event = envelope.event
        context = event.model_dump(mode="json")
        queue_mail(
            ledger, compose(template, event.customer_id, str(event.order_id), event.order_id, context, ledger.now)
        )

    def the_mail(ledger: Ledger, event: OrderEnded) -> None:
        ledger.mails.want(mail_id(template, event.customer_id, str(event.order_id)))

    return Handler(queue, wants=the_mail)


def mail_link(
    template: AccountTemplate, purpose: Purpose, link_of: Callable[[L], MailedLink | None]
) -> Handler[Ledger, L]:
    """Mails a link, once; the ledger keeps its id, and no token. Nothing is mailed where the event has no link."""

    def queue(ledger: Ledger, envelope: Envelope[L]) -> None:
        if link := link_of(envelope.event):
            context = {"link": {**link.model_dump(mode="json"), "purpose": purpose}}
            customer_id = envelope.event.customer_id
            queue_mail(ledger, compose(template, customer_id, str(link.link_id), None, context, ledger.now))

    def the_mail(ledger: Ledger, event: L) -> None:
        if link := link_of(event):
            ledger.mails.want(mail_id(template, event.customer_id, str(link.link_id)))

    return Handler(queue, wants=the_mail)


def notice(template: AccountTemplate) -> Handler[Ledger, Noticed]:
    """Mails the customer about the account, once for each event: it can happen again."""

    def queue(ledger: Ledger, envelope: Envelope[Noticed]) -> None:
        context = envelope.event.model_dump(mode="json", exclude={"customer_id"})
        made = compose(template, envelope.event.customer_id, str(envelope.id), None, context, ledger.now)
        # The id is made of the event's, so that the inbox has seen to it that no such mail is there.
        ledger.mails.fresh(made.id)
        queue_mail(ledger, made)

    return Handler(queue, wants=nothing)


def nothing(_ledger: Ledger, _event: object) -> None:
    """Wants no row."""


def both(first: Handler[Ledger, Any], then: Handler[Ledger, Any]) -> Handler[Ledger, Any]:
    """Does the one and the other."""

    def effect(ledger: Ledger, envelope: Envelope[Any]) -> None:
        first.effect(ledger, envelope)
        then.effect(ledger, envelope)

    def wants(ledger: Ledger, event: Any) -> None:
        first.wants(ledger, event)
        then.wants(ledger, event)

    return Handler(effect, wants=wants)


def _verify(event: CustomerRegistered | VerificationRequested) -> MailedLink | None:
    return event.verify


def _reset(event: PasswordResetRequested) -> MailedLink:
    return event.reset


HANDLERS: Handlers[Ledger] = {
    CustomerErased: Handler(forget_address, wants=its_customer),
    CustomerRegistered: both(Handler(learn_address, wants=its_customer), mail_link("welcome", "verify", _verify)),
    ProfileChanged: Handler(learn_name, wants=its_customer),
    VerificationRequested: mail_link("verification", "verify", _verify),
    RegistrationRepeated: notice("registration_repeated"),
    PasswordResetRequested: mail_link("password_reset", "reset", _reset),
    PasswordChanged: notice("password_changed"),
    OrderConfirmed: mail("receipt"),
    OrderRejected: mail("rejected"),
    OrderCancelled: mail("cancelled"),
}
