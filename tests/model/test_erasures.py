"""Customers who are erased, at any time, whatever else is on its way to or from whoever has to forget them.

Whoever has said that it has forgotten a customer takes no more orders of theirs, has none left that could still be
shipped, sends no more mails, and learns nothing more, whatever comes late.
"""

from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from chassis.testing import enveloped, record
from notifier_svc.mails.domain import CUSTOMER_ERASED, FINAL_STATES
from schemas import CustomerErased
from schemas.topics import CUSTOMER_EVENTS
from tests.model.explore import explore
from tests.model.requests import CUSTOMERS
from tests.model.test_mails import CUSTOMER, Job, Senders
from tests.model.test_orders import Platform
from tests.model.world import World


def erase(world: World, customer: UUID) -> None:
    """What customer_svc tells in the end."""
    event = CustomerErased(customer_id=customer)
    world.topics[event.topic][event.key].append(record(enveloped(event, 2)))


class Leavers(Platform):
    """Customers who order, and want to be forgotten."""

    @property
    def registered(self) -> list[UUID]:
        """Of those who are, whoever has not been erased."""
        logs = self.world.topics[CUSTOMER_EVENTS]
        return [customer for customer in CUSTOMERS if len(logs.get(str(customer), [])) == 1]

    @precondition(lambda self: self.registered)
    @rule(which=st.integers(0, 5))
    def leave(self, which: int) -> None:
        erase(self.world, self.registered[which % len(self.registered)])

    @invariant()
    def nothing_is_left_of_whoever_is_forgotten(self) -> None:
        self.hear()
        for mail in self.world.rows("mails"):
            if mail.customer_id in self.shop.without_mails:
                assert (mail.context, mail.recipient) == ({}, None)
                assert mail.state in FINAL_STATES
        for customer in self.world.mails.memory.rows["customers"].values():
            assert customer.erased == (customer.id in self.shop.without_mails)
        for order in self.world.rows("orders"):
            if order.customer_id in self.shop.without_orders:
                assert "cancel" not in order.steps


class Forgetters(Senders):
    """Processes that send mails, to a customer who is erased between any two of their steps."""

    def __init__(self) -> None:
        super().__init__()
        self.erased = False
        self.leaving: list[Job] = []
        """What could not be held back any more."""

    @precondition(lambda self: not self.erased)
    @rule()
    def leave(self) -> None:
        erase(self.world, CUSTOMER)
        self.world.settle()
        self.erased, self.leaving = True, self.begun

    @invariant()
    def nothing_is_begun_or_kept_of_whoever_is_erased(self) -> None:
        if self.erased:
            assert set(self.begun) <= set(self.leaving)
            for mail in self.world.rows("mails"):
                assert mail.context == {}
                assert mail.state in FINAL_STATES
                assert mail.error in (None, CUSTOMER_ERASED)


def test_customers_who_leave_are_forgotten() -> None:
    explore(Leavers, 40)


def test_what_is_in_hand_when_its_customer_is_erased_says_nothing_more() -> None:
    explore(Forgetters, 80)
