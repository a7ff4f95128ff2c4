"""Everything that customer_svc reacts to: event → command."""

from chassis.messaging.handlers import Handlers
from customer_svc.erasure.commands import HandleAcknowledgement
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import MailsAnonymised, OrdersAnonymised

HANDLERS: Handlers[CustomerUnitOfWork] = {
    OrdersAnonymised: HandleAcknowledgement,
    MailsAnonymised: HandleAcknowledgement,
}
