"""What notifier_svc does when others tell it something."""

from chassis.consumer import Handler, Handlers
from notifier_svc.commands import forget_customer, learn_customer, queue_mail
from notifier_svc.domain import Customer, Template, compose, mail_id
from notifier_svc.store import Ledger
from schemas import CustomerErased, CustomerRegistered, Envelope, OrderCancelled, OrderConfirmed, OrderRejected

OrderEnded = OrderConfirmed | OrderRejected | OrderCancelled


def learn_address(ledger: Ledger, envelope: Envelope[CustomerRegistered]) -> None:
    """Somebody opened an account: mails to them have an address now."""
    event = envelope.event
    learn_customer(ledger, Customer(event.customer_id, event.email, event.name, envelope.aggregate_version))


def forget_address(ledger: Ledger, envelope: Envelope[CustomerErased]) -> None:
    """A customer is to be forgotten: nothing personal stays in the ledger."""
    forget_customer(ledger, envelope.event.customer_id, envelope.aggregate_version)


def its_customer(ledger: Ledger, event: CustomerRegistered | CustomerErased) -> None:
    """Wants our copy of the customer."""
    ledger.customers.want(event.customer_id)


def mail(template: Template) -> Handler[Ledger, OrderEnded]:
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


HANDLERS: Handlers[Ledger] = {
    CustomerErased: Handler(forget_address, wants=its_customer),
    CustomerRegistered: Handler(learn_address, wants=its_customer),
    OrderConfirmed: mail("receipt"),
    OrderRejected: mail("rejected"),
    OrderCancelled: mail("cancelled"),
}
