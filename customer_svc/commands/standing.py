"""Leaving for a while, coming back, and leaving for good."""

from uuid import UUID

from customer_svc.commands.accounts import put
from customer_svc.domain.account import Account, By
from customer_svc.domain.erasure import Erasure, Part
from customer_svc.errors import CustomerUnknown, WrongPassword
from customer_svc.store import Accounts
from schemas import CustomerErased


def deactivate(unit: Accounts, account_id: UUID, by: By) -> Account:
    """Put an account out of use; raise ``DeactivatedAlready``."""
    account, event = _customer(unit, account_id).deactivate(by, unit.now)
    put(unit, account, event)
    return account


def reactivate(unit: Accounts, account_id: UUID, by: By) -> Account:
    """Put an account in use again; raise ``ActiveAlready`` or ``AccountDeactivated``, if staff put it out of use."""
    account, event = _customer(unit, account_id).reactivate(by, unit.now)
    put(unit, account, event)
    return account


def erase(unit: Accounts, account_id: UUID, known_hash: str, erasure_id: UUID) -> Erasure:
    """Forget a customer here, and have everybody else do so; raise ``WrongPassword`` if it was changed meanwhile."""
    account = _customer(unit, account_id)
    if account.password_hash != known_hash:
        raise WrongPassword
    gone = account.changed(unit.now)
    erasure = Erasure(account.id, erasure_id, gone.version, gone.changed_at)
    unit.erasures.fresh(account.id)
    unit.erasures.put(account.id, erasure)
    unit.accounts.put(account.id, None)
    unit.emit(CustomerErased(customer_id=account.id), gone.version, gone.changed_at)
    return erasure


def confirm_erasure(unit: Accounts, customer_id: UUID, part: Part) -> None:
    """Note that a service has forgotten a customer."""
    erasure = unit.erasures.find(customer_id)
    if erasure is None:
        raise LookupError(f"customer {customer_id} was not erased here")
    unit.erasures.put(customer_id, erasure.confirm(part, unit.now))


def _customer(unit: Accounts, account_id: UUID) -> Account:
    """The account, if there is one and it is a customer's; raise ``CustomerUnknown``."""
    account = unit.accounts.find(account_id)
    if account is None or account.role != "customer":
        raise CustomerUnknown
    return account
