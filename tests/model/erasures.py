"""Machines in which customers are erased at any time, whatever events are in flight.

A service that has acknowledged an erasure accepts no more orders of the customer, has none left that could still be
shipped, sends no more mails, and stores nothing more, whatever arrives late.
"""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chassis.testing import enveloped, record
from notifier_svc.mails.domain import CONFIRMATION, CUSTOMER_ERASED, FINAL_STATES
from schemas import CustomerErased
from schemas.topics import CUSTOMER_EVENTS
from tests.model.platform import Platform
from tests.model.requests import CUSTOMERS
from tests.model.senders import CUSTOMER, Job, Senders
from tests.model.world import World


def publish_erasure(world: World, customer: UUID) -> None:
    """Publish the event of customer_svc."""
    event = CustomerErased(customer_id=customer)
    world.topics[event.topic][event.key].append(record(enveloped(event, 2)))


class ErasurePlatform(Platform):
    """A platform whose customers are erased."""

    @property
    def registered(self) -> list[UUID]:
        """The registered customers who are not erased."""
        logs = self.world.topics[CUSTOMER_EVENTS]
        return [customer for customer in CUSTOMERS if len(logs.get(str(customer), [])) == 1]

    @precondition(lambda self: self.registered)
    @rule(which=st.integers(0, 5))
    def leave(self, which: int) -> None:
        publish_erasure(self.world, self.registered[which % len(self.registered)])

    @invariant()
    def no_data_of_erased_customers_is_left(self) -> None:
        self.take_new_events()
        for mail in self.world.rows("mails"):
            # The confirmation of the erasure keeps its address until it was sent.
            if mail.customer_id in self.shop.without_mails and mail.template == CONFIRMATION:
                assert mail.state not in FINAL_STATES or (mail.context, mail.recipient) == ({}, None)
            elif mail.customer_id in self.shop.without_mails:
                assert (mail.context, mail.recipient) == ({}, None)
                assert mail.state in FINAL_STATES
        for customer in self.world.mails.memory.rows["customers"].values():
            assert customer.erased == (customer.id in self.shop.without_mails)
        for order in self.world.rows("orders"):
            if order.customer_id in self.shop.without_orders:
                assert not {"cancel", "cancel_remainder"} & set(order.allowed_actions)


class ErasureSenders(Senders):
    """Processes that send mails to a customer who is erased between any two of their steps."""

    def __init__(self) -> None:
        super().__init__()
        self.erased = False
        self.too_late: list[Job] = []
        """The mails whose sending had begun before the erasure."""

    @precondition(lambda self: not self.erased)
    @rule()
    def leave(self) -> None:
        publish_erasure(self.world, CUSTOMER)
        self.world.settle()
        self.erased, self.too_late = True, self.begun

    @invariant()
    def no_mail_to_an_erased_customer_is_begun_or_kept(self) -> None:
        if self.erased:
            assert set(self.begun) <= set(self.too_late)
            for mail in self.ledger:
                assert mail.context == {}
                assert mail.state in FINAL_STATES
                assert mail.error in (None, CUSTOMER_ERASED)
