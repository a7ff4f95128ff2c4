"""Erases a customer: open orders are cancelled, personal data is anonymised, dead letters are redacted."""

from dataclasses import dataclass
from typing import ClassVar

from chassis.messaging.handlers import OnRepeat
from order_svc import SERVICE
from order_svc.erasure.domain import ErasedCustomer
from order_svc.fulfilment.domain import cancel_remainder
from order_svc.replicas.commands import customer_or_new, update_customer
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import CustomerErased, Envelope, OrdersAnonymised, answer_id


@dataclass(frozen=True, slots=True)
class EraseCustomer:
    """Keep a customer's orders without personal data, accept no more of them, and acknowledge the erasure.

    What is not shipped yet of an order is cancelled, since its address is removed.
    """

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[CustomerErased]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The customer, and whether the customer is erased already; that also loads the orders to cancel."""
        uow.customers.prefetch(self.envelope.event.customer_id)
        uow.erased_customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Erase the customer, once."""
        customer_id = self.envelope.event.customer_id
        known = customer_or_new(uow, customer_id)
        update_customer(uow, known, known.erased(self.envelope.aggregate_version))
        if uow.erased_customers.get(customer_id) is None:
            # Saving this row anonymises the orders, timelines and stored responses of the customer.
            uow.erased_customers.set(customer_id, ErasedCustomer(customer_id, uow.now))
            uow.redactions.add(customer_id)
            self._cancel_open_orders(uow)
            acknowledged = OrdersAnonymised(answer_id=answer_id(SERVICE, customer_id), customer_id=customer_id)
            uow.emit(acknowledged, 1, uow.now)

    def _cancel_open_orders(self, uow: OrderUnitOfWork) -> None:
        customer_id = self.envelope.event.customer_id
        for order in [one for one in uow.orders.present if one.customer_id == customer_id]:
            if "cancel" in order.allowed_actions:
                uow.record(*order.cancel("customer", uow.now))
            elif "cancel_remainder" in order.allowed_actions:
                uow.record_all(cancel_remainder(order, "customer", None, uow.now))
