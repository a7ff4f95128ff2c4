"""The unit of work of order_svc: the rows of one transaction, and how they are loaded and saved together."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from chassis.jobs.domain import Action
from chassis.persistence.postgres.jobs import load_actions, save_actions
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.rows import load_rows, write_rows
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from order_svc import SERVICE
from order_svc.erasure.domain import ErasedCustomer
from order_svc.erasure.store import (
    anonymise,
    hold_off_erasures,
    load_erased_customers,
    lock_for_erasure,
    save_erased_customers,
)
from order_svc.orders.domain import Order
from order_svc.orders.store import (
    StoredResponse,
    held_changes,
    load_orders,
    load_responses,
    restart_deadlines,
    save_orders,
    save_responses,
)
from order_svc.replicas.domain import Customer, Deactivation, Product
from order_svc.replicas.store import load_customers, load_owners, load_products, save_customers, save_products
from order_svc.saga.gauges import CONFIRMED_SECONDS
from order_svc.timeline.domain import TimelineEntry, entry_about
from order_svc.timeline.store import save_timeline
from order_svc.usage.domain import AccountUsage
from order_svc.usage.store import load_usage, lock_accounts, save_usage
from schemas import Event


class OrderUnitOfWork(UnitOfWork):
    """The orders of one transaction, and everything that is read or written with them."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.orders: IdentityMap[UUID, Order] = IdentityMap(self)
        self.products: IdentityMap[str, Product] = IdentityMap(self)
        self.stored_responses: IdentityMap[UUID, StoredResponse] = IdentityMap(self)
        self.timeline: AppendOnly[TimelineEntry] = AppendOnly(self)
        self.customers: IdentityMap[UUID, Customer] = IdentityMap(self)
        self.owners: IdentityMap[UUID, Customer] = IdentityMap(self)
        """The customer of an order, by the order's id, where an event about the customer has arrived."""
        self.usage: IdentityMap[UUID, AccountUsage] = IdentityMap(self)
        """Of accounts that place or amend orders; prefetching it keeps other transactions from doing so meanwhile."""
        self.actions: IdentityMap[UUID, Action] = IdentityMap(self)
        """What ops do to orders."""
        self.erased_customers: IdentityMap[UUID, ErasedCustomer] = IdentityMap(self)
        """Prefetching a customer here also loads the orders of the customer that may have something to cancel."""
        self.deactivations: AppendOnly[Deactivation] = AppendOnly(self)
        """Accounts that were deactivated; their customers are in ``erased_customers``, for their orders."""

    def record(self, order: Order, event: Event) -> None:
        """Store an order as a transition left it, publish its event, and enter the event in the timeline."""
        self.orders.set(order.id, order)
        self.emit(event, order.version, order.changed_at)
        self.timeline.add(entry_about(order, event))

    def record_all(self, changes: Sequence[tuple[Order, Event]]) -> Order:
        """Record several changes of an order; return it as the last of them left it."""
        for order, event in changes:
            self.record(order, event)
        return changes[-1][0]

    def after_commit(self) -> None:
        """Measure how long the confirmed orders have waited."""
        for order in self.orders.updated:
            before = self.orders.original(order.id)
            if order.state == "CONFIRMED" and before and before.state == "PENDING":
                CONFIRMED_SECONDS.observe((order.changed_at - order.placed_at).total_seconds())

    def after_commands(self) -> None:
        """Cancel what was ordered after an account was deactivated, and before this service knew it.

        Not where the account was reactivated since, as a later event of the same batch may say: then the order may be
        from after that.
        """
        if self.repeated:
            # Handling events again emits nothing.
            return
        for deactivated in self.deactivations.added:
            customer = self.customers.get(deactivated.customer_id)
            if customer and customer.account_status == "deactivated":
                self._cancel_later_orders(deactivated)

    def _cancel_later_orders(self, deactivated: Deactivation) -> None:
        self.cause, self.trace = deactivated.cause, deactivated.trace
        for order in self.orders.present:
            late = order.customer_id == deactivated.customer_id and order.placed_at > deactivated.at
            if late and "cancel" in order.allowed_actions:
                self.record(*order.cancel(deactivated.by, self.now))

    async def load(self, tx: PipelinedTransaction) -> None:
        """Load every prefetched row and lock it against other transactions."""
        # The locks on erasures and accounts come before any lock on a row, so that transactions cannot deadlock.
        if leaving := self.erased_customers.missing:
            self.orders.prefetch(*await lock_for_erasure(tx, leaving))
        elif self.customers.missing:
            hold_off_erasures(tx)
        if ordering := self.usage.missing:
            lock_accounts(tx, ordering)
        await load_rows(
            tx,
            load_responses(self.stored_responses),
            load_orders(self.orders),
            # After the orders are locked: a transaction that waited for the same action has to see it.
            load_actions(self.actions),
            load_products(self.products),
            load_customers(self.customers),
            load_usage(self.usage),
            # After the orders are locked: a transaction that waited there for an erasure has to see it here.
            load_owners(self.owners),
            load_erased_customers(self.erased_customers),
        )

    async def save(self, tx: PipelinedTransaction) -> None:
        """Write every changed row."""
        write_rows(
            tx,
            *save_orders(self.orders),
            save_products(self.products),
            save_timeline(self.timeline, repeated=self.repeated),
            save_responses(self.stored_responses),
            save_erased_customers(self.erased_customers),
            save_usage(self.usage, held_changes(self.orders)),
            save_actions(self.actions),
        )
        restart_deadlines(tx, self.orders)
        save_customers(tx, self.customers)
        anonymise(tx, self.erased_customers)
