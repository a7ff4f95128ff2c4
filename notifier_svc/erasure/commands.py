"""Erasing a customer."""

from dataclasses import dataclass
from typing import ClassVar

from chassis.messaging.handlers import OnRepeat
from notifier_svc import SERVICE
from notifier_svc.mails.commands import queue_confirmation, save_outcome
from notifier_svc.mails.domain import CONFIRMATION
from notifier_svc.mails.triggers import mail_ids
from notifier_svc.replicas.domain import anonymised_customer
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import CustomerErased, Envelope, MailsAnonymised, answer_id


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """Anonymise the mails of a customer and redact dead letters about them, then confirm it to customer_svc.

    The ledger still says which mails there were, about which orders. Mails that are not sent yet fail, and a last one
    confirms the erasure to the address, which is deleted with it. An erasure that the customer did not request is not
    confirmed: the address is another customer's.
    """

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[CustomerErased]

    def prefetch(self, uow: NotifierUnitOfWork) -> None:
        """The customer, and every mail to them that is not in a final state; nobody can enter another meanwhile."""
        uow.customers.prefetch(self.envelope.event.customer_id)
        uow.to_erase.add(self.envelope.event.customer_id)
        uow.mails.prefetch(*mail_ids(self.envelope))

    def execute(self, uow: NotifierUnitOfWork) -> None:
        """An event that was handled before changes nothing."""
        event, version = self.envelope.event, self.envelope.aggregate_version
        customer_id = event.customer_id
        known = uow.customers.get(customer_id)
        if known is not None and known.version >= version:
            return
        anonymised = anonymised_customer(customer_id, version)
        uow.customers.set(customer_id, anonymised)
        uow.anonymised.add(known or anonymised)
        uow.redactions.add(customer_id)
        for mail in uow.mails.present:
            if mail.customer_id == customer_id and mail.template != CONFIRMATION:
                save_outcome(uow, mail.anonymise(uow.now))
        if event.requested and known and not known.erased and customer_id not in uow.unreachable:
            queue_confirmation(uow, known)
        confirmation = MailsAnonymised(answer_id=answer_id(SERVICE, customer_id), customer_id=customer_id)
        uow.emit(confirmation, 1, uow.now)
