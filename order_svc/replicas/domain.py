"""What order_svc knows of products and customers: copies that the events of other services keep up to date. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from order_svc.errors import AccountDeactivated, AccountErased, NoShippingAddress
from schemas import Address, Money

AccountStatus = Literal["active", "deactivated", "erased"]


@dataclass(frozen=True, slots=True)
class Product:
    """A variant of a product in the catalogue, by its SKU."""

    sku: str
    product_id: UUID
    name: str
    price: Money
    version: int
    for_sale: bool = True
    by_rest: bool = False
    """Whether it was read from the catalogue, because no event about it had arrived."""


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer's account status, default addresses and name.

    Each of these has the version of the account that it was read from; 0 means that no event has arrived yet.
    """

    id: UUID
    account_status: AccountStatus = "active"
    account_status_version: int = 0
    shipping: Address | None = None
    billing: Address | None = None
    addresses_version: int = 0
    name: str | None = None
    name_version: int = 0

    def with_status(self, status: AccountStatus, version: int) -> "Customer":
        """With the status of an event; an event older than this copy changes nothing."""
        if self.account_status == "erased" or version <= self.account_status_version:
            return self
        return replace(self, account_status=status, account_status_version=version)

    def with_default_addresses(self, shipping: Address | None, billing: Address | None, version: int) -> "Customer":
        """With the default addresses of an event; an event older than this copy changes nothing."""
        if self.account_status == "erased" or version <= self.addresses_version:
            return self
        return replace(self, shipping=shipping, billing=billing, addresses_version=version)

    def with_name(self, name: str, version: int) -> "Customer":
        """With the name of an event; an event older than this copy changes nothing."""
        if self.account_status == "erased" or version <= self.name_version:
            return self
        return replace(self, name=name, name_version=version)

    def erased(self, version: int) -> "Customer":
        """Only the fact that the account existed remains, so that events that arrive late change nothing."""
        return Customer(self.id, "erased", version, addresses_version=version, name_version=version)

    def require_active(self) -> None:
        """Raise ``AccountDeactivated`` or ``AccountErased`` unless the account can place orders."""
        if self.account_status == "deactivated":
            raise AccountDeactivated
        if self.account_status == "erased":
            raise AccountErased


@dataclass(frozen=True, slots=True)
class Deactivation:
    """An account was deactivated at this moment, by the clock of customer_svc."""

    customer_id: UUID
    by: Literal["customer", "staff"]
    at: datetime
    cause: str | None
    """The id of the event that says so."""
    trace: str | None


def shipping_address(customer: Customer | None, given: Address | None) -> Address:
    """Where an order goes: the given address, or the customer's default; raise ``NoShippingAddress``.

    ``customer`` is None where no event about the customer has arrived yet, which does not prevent an order.
    """
    address = given or (customer.shipping if customer else None)
    if address is None:
        raise NoShippingAddress
    return address


def billing_address(customer: Customer | None, given: Address | None) -> Address | None:
    """Where the invoice goes: the given address, or the customer's default; None means the shipping address."""
    return given or (customer.billing if customer else None)
