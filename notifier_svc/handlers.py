"""Everything that notifier_svc reacts to: event → command."""

from chassis.messaging.handlers import Handlers
from chassis.rebuild.replica import Replica, Replicas
from notifier_svc.erasure.commands import EraseCustomer
from notifier_svc.erasure.queries import ERASED_CUSTOMERS
from notifier_svc.mails.commands import (
    MoveCustomer,
    QueueLinkMail,
    QueueNotice,
    QueueOrderMail,
    WarnStaff,
    WelcomeCustomer,
)
from notifier_svc.mails.store import mails
from notifier_svc.replicas.commands import UpdateCustomer, UpdateEmail, UpsertCustomer
from notifier_svc.replicas.domain import ERASED_ADDRESS
from notifier_svc.replicas.store import customers
from notifier_svc.suppressions.store import suppressions
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import (
    STAFF,
    AmendmentAccepted,
    AmendmentRefused,
    CustomerErased,
    CustomerRegistered,
    EmailChanged,
    EmailChangeRequested,
    EmailChangeReverted,
    OrderCancelled,
    OrderConfirmed,
    OrderDelivered,
    OrderRejected,
    OrderReturned,
    OrderShipped,
    ParcelFailed,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationRepeated,
    RemainderCancelled,
    ReturnApproved,
    ReturnDeclined,
    ReturnRequested,
    StockLow,
    TrackingCorrected,
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
    EmailChangeRequested: QueueLinkMail,
    EmailChanged: MoveCustomer,
    EmailChangeReverted: MoveCustomer,
    # order.events
    OrderConfirmed: QueueOrderMail,
    OrderRejected: QueueOrderMail,
    OrderCancelled: QueueOrderMail,
    AmendmentAccepted: QueueOrderMail,
    AmendmentRefused: QueueOrderMail,
    OrderShipped: QueueOrderMail,
    RemainderCancelled: QueueOrderMail,
    TrackingCorrected: QueueOrderMail,
    ParcelFailed: QueueOrderMail,
    OrderDelivered: QueueOrderMail,
    ReturnRequested: QueueOrderMail,
    ReturnApproved: QueueOrderMail,
    ReturnDeclined: QueueOrderMail,
    OrderReturned: QueueOrderMail,
    # stock.events
    StockLow: WarnStaff,
}
"""``mails/triggers.py`` says which template each of these mails has."""

REPLICAS: Replicas = [
    Replica(
        customers,
        "id",
        # Of WelcomeCustomer and MoveCustomer the part that is not a mail.
        {
            CustomerRegistered: UpsertCustomer,
            ProfileChanged: UpdateCustomer,
            EmailChanged: UpdateEmail,
            EmailChangeReverted: UpdateEmail,
            CustomerErased: EraseCustomer,
        },
        touched=(mails, suppressions),
        kept=f"live.id = '{STAFF}' OR live.email = '{ERASED_ADDRESS}'"
        f" AND coalesce(rebuilt.email, '') <> '{ERASED_ADDRESS}'",
        anonymous=f"{{row}}.email = '{ERASED_ADDRESS}'",
        erased=ERASED_CUSTOMERS,
    ),
]
"""What ops can rebuild. The staff are in the settings, and in no topic. Erased customers stay erased."""
