"""What customer_svc does when others tell it something."""

from chassis.closures import Handler
from chassis.messaging.handlers import Handlers
from customer_svc.commands.standing import confirm_erasure
from customer_svc.domain.erasure import Part
from customer_svc.store import Accounts
from schemas import Envelope, MailsAnonymised, OrdersAnonymised

Anonymised = OrdersAnonymised | MailsAnonymised


def confirmed(part: Part) -> Handler:
    """Somebody has forgotten a customer: the erasure has come further."""

    def note(unit: Accounts, envelope: Envelope[Anonymised]) -> None:
        confirm_erasure(unit, envelope.event.customer_id, part)

    return Handler(note, wants=lambda unit, event: unit.erasures.prefetch(event.customer_id))


HANDLERS: Handlers[Accounts] = {
    OrdersAnonymised: confirmed("orders"),
    MailsAnonymised: confirmed("mails"),
}
