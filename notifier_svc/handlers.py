"""Everything that notifier_svc reacts to: event → command."""

from chassis.messaging.handlers import Handlers
from notifier_svc.erasure.commands import EraseCustomer
from notifier_svc.mails.commands import QueueLinkMail, QueueNotice, QueueOrderMail, WarnStaff, WelcomeCustomer
from notifier_svc.replicas.commands import UpdateCustomer
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import (
    AmendmentAccepted,
    AmendmentRefused,
    CustomerErased,
    CustomerRegistered,
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

HANDLERS: Handlers[NotifierUnitOfWork] = {
    # customer.events
    CustomerRegistered: WelcomeCustomer,
    ProfileChanged: UpdateCustomer,
    CustomerErased: EraseCustomer,
    VerificationRequested: QueueLinkMail,
    PasswordResetRequested: QueueLinkMail,
    RegistrationRepeated: QueueNotice,
    PasswordChanged: QueueNotice,
    # order.events
    OrderConfirmed: QueueOrderMail,
    OrderRejected: QueueOrderMail,
    OrderCancelled: QueueOrderMail,
    AmendmentAccepted: QueueOrderMail,
    AmendmentRefused: QueueOrderMail,
    OrderShipped: QueueOrderMail,
    OrderDelivered: QueueOrderMail,
    OrderReturned: QueueOrderMail,
    # stock.events
    StockLow: WarnStaff,
}
"""``mails/triggers.py`` says which template each of these mails has."""
