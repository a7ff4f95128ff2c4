"""What notifier_svc does when others tell it something."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from chassis.closures import Handler
from chassis.link_tokens import Purpose
from chassis.messaging.handlers import Handlers
from notifier_svc.commands import change_profile, forget_customer, learn_customer, queue_mail
from notifier_svc.domain import AccountTemplate, Customer, OrderTemplate, compose, mail_id
from notifier_svc.store import Ledger
from schemas import (
    STAFF,
    AmendmentAccepted,
    AmendmentRefused,
    CustomerErased,
    CustomerRegistered,
    Envelope,
    MailedLink,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationRepeated,
    StockLow,
    VerificationRequested,
)

Amendment = AmendmentAccepted | AmendmentRefused
OfOrder = OrderConfirmed | OrderRejected | OrderCancelled | OrderShipped | OrderDelivered | OrderReturned | Amendment
Linked = CustomerRegistered | VerificationRequested | PasswordResetRequested
Noticed = RegistrationRepeated | PasswordChanged

L = TypeVar("L", bound=Linked)
T = TypeVar("T", bound=OfOrder)


def learn_address(ledger: Ledger, envelope: Envelope[CustomerRegistered]) -> None:
    """Somebody opened an account: mails to them have an address now."""
    event = envelope.event
    version = envelope.aggregate_version
    learn_customer(ledger, Customer(event.customer_id, event.email, event.name, version, event.locale))


def learn_wishes(ledger: Ledger, envelope: Envelope[ProfileChanged]) -> None:
    """A customer wants to be written to in another way, or less often."""
    event, version = envelope.event, envelope.aggregate_version
    change_profile(ledger, event.customer_id, event.name, event.locale, event.order_updates, version)


def forget_address(ledger: Ledger, envelope: Envelope[CustomerErased]) -> None:
    """A customer is to be forgotten: nothing personal stays in the ledger."""
    forget_customer(ledger, envelope.event.customer_id, envelope.aggregate_version)


def its_customer(ledger: Ledger, event: CustomerRegistered | ProfileChanged | Noticed) -> None:
    """Wants our copy of the customer."""
    ledger.customers.prefetch(event.customer_id)


def whoever_is_erased(ledger: Ledger, event: CustomerErased) -> None:
    """Wants our copy of the customer, and every mail that has not left; and that nobody writes another meanwhile."""
    ledger.customers.prefetch(event.customer_id)
    ledger.leaving.add(event.customer_id)


def its_id(event: OfOrder) -> UUID:
    """What of an order happens once: a mail about it is about the order."""
    return event.order_id


def mail(template: OrderTemplate, about: Callable[[T], object] = its_id) -> Handler:
    """Mails the customer with everything that the event says; once for each thing that it is ``about``."""

    def queue(ledger: Ledger, envelope: Envelope[T]) -> None:
        event = envelope.event
        context = event.model_dump(mode="json")
        queue_mail(
            ledger, compose(template, event.customer_id, str(about(event)), event.order_id, context, ledger.now)
        )

    def the_mail(ledger: Ledger, event: T) -> None:
        ledger.mails.prefetch(mail_id(template, event.customer_id, str(about(event))))
        ledger.customers.prefetch(event.customer_id)

    return Handler(queue, wants=the_mail)


def mail_link(template: AccountTemplate, purpose: Purpose, link_of: Callable[[L], MailedLink | None]) -> Handler:
    """Mails a link, once; the ledger keeps its id, and no token. Nothing is mailed where the event has no link."""

    def queue(ledger: Ledger, envelope: Envelope[L]) -> None:
        if link := link_of(envelope.event):
            context = {"link": {**link.model_dump(mode="json"), "purpose": purpose}}
            customer_id = envelope.event.customer_id
            queue_mail(ledger, compose(template, customer_id, str(link.link_id), None, context, ledger.now))

    def the_mail(ledger: Ledger, event: L) -> None:
        if link := link_of(event):
            ledger.mails.prefetch(mail_id(template, event.customer_id, str(link.link_id)))
            ledger.customers.prefetch(event.customer_id)

    return Handler(queue, wants=the_mail)


def warn_staff(ledger: Ledger, envelope: Envelope[StockLow]) -> None:
    """Mails the staff, each time: it is told once each time that a SKU falls to its threshold."""
    context = envelope.event.model_dump(mode="json")
    made = compose("low_stock", STAFF, str(envelope.id), None, context, ledger.now)
    ledger.mails.mark_new(made.id)
    queue_mail(ledger, made)


def notice(template: AccountTemplate) -> Handler:
    """Mails the customer about the account, once for each event: it can happen again."""

    def queue(ledger: Ledger, envelope: Envelope[Noticed]) -> None:
        context = envelope.event.model_dump(mode="json", exclude={"customer_id"})
        made = compose(template, envelope.event.customer_id, str(envelope.id), None, context, ledger.now)
        # The id is made of the event's, so that the inbox has seen to it that no such mail is there.
        ledger.mails.mark_new(made.id)
        queue_mail(ledger, made)

    return Handler(queue, wants=its_customer)


def staff(ledger: Ledger, _event: StockLow) -> None:
    """Wants our copy of whoever hears what staff should."""
    ledger.customers.prefetch(STAFF)


def both(first: Handler, then: Handler) -> Handler:
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


def _revision(event: Amendment) -> str:
    return f"{event.order_id} {event.revision}"


def _shipment(event: OrderShipped) -> UUID:
    return event.shipment_id


def _return(event: OrderReturned) -> UUID:
    return event.return_id


def _reset(event: PasswordResetRequested) -> MailedLink:
    return event.reset


HANDLERS: Handlers[Ledger] = {
    CustomerErased: Handler(forget_address, wants=whoever_is_erased),
    CustomerRegistered: both(Handler(learn_address, wants=its_customer), mail_link("welcome", "verify", _verify)),
    ProfileChanged: Handler(learn_wishes, wants=its_customer),
    VerificationRequested: mail_link("verification", "verify", _verify),
    RegistrationRepeated: notice("registration_repeated"),
    PasswordResetRequested: mail_link("password_reset", "reset", _reset),
    PasswordChanged: notice("password_changed"),
    OrderConfirmed: mail("receipt"),
    OrderRejected: mail("rejected"),
    OrderCancelled: mail("cancelled"),
    AmendmentAccepted: mail("order_amended", _revision),
    AmendmentRefused: mail("amendment_refused", _revision),
    OrderShipped: mail("shipped", _shipment),
    OrderDelivered: mail("delivered"),
    OrderReturned: mail("return_received", _return),
    StockLow: Handler(warn_staff, wants=staff),
}
