"""Keeps the replicas up to date with the events of product_svc and customer_svc."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from chassis.messaging.handlers import OnRepeat
from order_svc.replicas.domain import AccountStatus, Customer, Deactivation, Product
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import (
    AddressesChanged,
    CustomerDeactivated,
    CustomerReactivated,
    CustomerRegistered,
    Envelope,
    Event,
    ProductChanged,
    ProductCreated,
    ProfileChanged,
)

ACCOUNT_STATUS: Mapping[type[Event], AccountStatus] = {
    CustomerRegistered: "active",
    CustomerReactivated: "active",
    CustomerDeactivated: "deactivated",
}
"""Event → the status of the account after it."""


@dataclass(frozen=True, slots=True)
class UpsertProducts:
    """Store products in the replica, unless it has newer versions of them."""

    products: Sequence[Product]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The products."""
        uow.products.prefetch(*(product.sku for product in self.products))

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Replace older copies."""
        for product in self.products:
            known = uow.products.get(product.sku)
            if known is None or known.version < product.version:
                uow.products.set(product.sku, product)


@dataclass(frozen=True, slots=True)
class ReplicateCreatedProduct:
    """A product entered the catalogue: its variants can be ordered."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[ProductCreated]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The product's variants."""
        self._upsert.prefetch(uow)

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Store them."""
        self._upsert.execute(uow)

    @property
    def _upsert(self) -> UpsertProducts:
        event, version = self.envelope.event, self.envelope.aggregate_version
        return UpsertProducts(
            [Product(one.sku, event.product_id, event.name, one.price, version) for one in event.variants]
        )


@dataclass(frozen=True, slots=True)
class ReplicateChangedProduct:
    """A product's name, prices, variants or availability changed."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[ProductChanged]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The product's variants."""
        self._upsert.prefetch(uow)

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Store them."""
        self._upsert.execute(uow)

    @property
    def _upsert(self) -> UpsertProducts:
        event, version = self.envelope.event, self.envelope.aggregate_version
        # Drafts cannot be ordered.
        offers = event.offers if event.status != "draft" else ()
        return UpsertProducts(
            [Product(one.sku, event.product_id, event.name, one.price, version, one.for_sale) for one in offers]
        )


@dataclass(frozen=True, slots=True)
class ReplicateAccountStatus:
    """An account was registered, deactivated or reactivated: a deactivated customer cannot place orders."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[CustomerRegistered] | Envelope[CustomerDeactivated] | Envelope[CustomerReactivated]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The customer; where the account was deactivated, also the orders that can be cancelled."""
        uow.customers.prefetch(self.envelope.event.customer_id)
        if isinstance(self.envelope.event, CustomerDeactivated):
            uow.erased_customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Store the status, unless the replica's is newer; and the name of somebody new."""
        event, version = self.envelope.event, self.envelope.aggregate_version
        known = customer_or_new(uow, event.customer_id)
        updated = known.with_status(ACCOUNT_STATUS[type(event)], version)
        if isinstance(event, CustomerDeactivated) and updated != known:
            uow.deactivations.add(Deactivation(event.customer_id, event.by, self.envelope.time, uow.cause, uow.trace))
        if isinstance(event, CustomerRegistered):
            updated = updated.with_name(event.name, version)
        update_customer(uow, known, updated)


@dataclass(frozen=True, slots=True)
class ReplicateName:
    """A customer changed the name."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[ProfileChanged]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The customer."""
        uow.customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Store the name, unless the replica's is newer."""
        event = self.envelope.event
        known = customer_or_new(uow, event.customer_id)
        update_customer(uow, known, known.with_name(event.name, self.envelope.aggregate_version))


@dataclass(frozen=True, slots=True)
class ReplicateDefaultAddresses:
    """A customer changed the default addresses for orders and invoices."""

    on_repeat: ClassVar[OnRepeat] = "converge"
    envelope: Envelope[AddressesChanged]

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        """The customer."""
        uow.customers.prefetch(self.envelope.event.customer_id)

    def execute(self, uow: OrderUnitOfWork) -> None:
        """Store the addresses, unless the replica's are newer."""
        event, version = self.envelope.event, self.envelope.aggregate_version
        known = customer_or_new(uow, event.customer_id)
        update_customer(uow, known, known.with_default_addresses(event.shipping, event.billing, version))


def customer_or_new(uow: OrderUnitOfWork, customer_id: UUID) -> Customer:
    """The replica of a customer, or an empty one where no event about the customer has arrived yet."""
    return uow.customers.get(customer_id) or Customer(customer_id)


def update_customer(uow: OrderUnitOfWork, known: Customer, updated: Customer) -> None:
    """Store a customer, if anything has changed."""
    if updated != known:
        uow.customers.set(updated.id, updated)
