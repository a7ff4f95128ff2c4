"""Redact what the dead letters say about an erased customer."""

from dataclasses import dataclass
from typing import ClassVar

from chassis.messaging.handlers import OnRepeat
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import Envelope, OrdersAnonymised


@dataclass(frozen=True, slots=True)
class RedactDeadLetters:
    """A customer's orders were anonymised: redact the dead letters, which hold names and addresses."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[OrdersAnonymised]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """Nothing: dead letters are not loaded."""

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Redact all that mention the customer, when the transaction commits."""
        uow.redactions.add(self.envelope.event.customer_id)
