"""What order_svc knows of a customer: whether one may order, and where one's orders go unless told otherwise."""

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from order_svc.errors import AccountDeactivated, AccountErased, NoShippingAddress
from schemas import Address

Standing = Literal["active", "deactivated", "erased"]


@dataclass(frozen=True, slots=True)
class Customer:
    """A copy of what customer_svc tells. Each half has the version of the account that it is as of; 0 is unheard."""

    id: UUID
    standing: Standing = "active"
    standing_version: int = 0
    shipping: Address | None = None
    billing: Address | None = None
    addresses_version: int = 0

    def stands(self, standing: Standing, version: int) -> "Customer":
        """As an event says how the account stands; what is older than what we know changes nothing."""
        if self.standing == "erased" or version <= self.standing_version:
            return self
        return replace(self, standing=standing, standing_version=version)

    def lives(self, shipping: Address | None, billing: Address | None, version: int) -> "Customer":
        """As an event says where the defaults are; what is older than what we know changes nothing."""
        if self.standing == "erased" or version <= self.addresses_version:
            return self
        return replace(self, shipping=shipping, billing=billing, addresses_version=version)

    def erased(self, version: int) -> "Customer":
        """Nothing is left but that there was an account, so that whatever is heard late changes nothing."""
        return Customer(self.id, "erased", version, addresses_version=version)

    def require_active(self) -> None:
        """Raise ``AccountDeactivated`` or ``AccountErased`` where the account cannot order."""
        if self.standing == "deactivated":
            raise AccountDeactivated
        if self.standing == "erased":
            raise AccountErased


def destination(customer: Customer | None, told: Address | None) -> Address:
    """Where an order goes: as it says, else where the customer's orders go by default; raise ``NoShippingAddress``.

    ``customer`` is None for one that we have not heard of yet: nobody is kept from ordering for that.
    """
    address = told or (customer.shipping if customer else None)
    if address is None:
        raise NoShippingAddress
    return address


def invoiced(customer: Customer | None, told: Address | None) -> Address | None:
    """Where the bill of an order goes; None where that is where the order goes."""
    return told or (customer.billing if customer else None)
