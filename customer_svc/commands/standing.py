"""Leaving for a while, coming back, and leaving for good."""

from uuid import UUID

from chassis.http.preconditions import ANY, unchanged_since
from customer_svc.commands.accounts import put
from customer_svc.domain.account import Account, By
from customer_svc.domain.erasure import Erasure, Part
from customer_svc.errors import CustomerUnknown, WrongPassword
from customer_svc.store import Accounts
from schemas import CustomerErased


def deactivate(unit: Accounts, account_id: UUID, by: By, if_match: str = ANY) -> Account:
    """Put an account out of use; raise ``DeactivatedAlready``, ``PreconditionFailed``."""
    account, event = _unchanged(unit, account_id, if_match).deactivate(by, unit.now)
    put(unit, account, event)
    return account


def reactivate(unit: Accounts, account_id: UUID, by: By, if_match: str = ANY) -> Account:
    """Put an account in use again.

    Raise ``ActiveAlready``; ``AccountDeactivated``, if staff put it out of use; ``PreconditionFailed``.
    """
    account, event = _unchanged(unit, account_id, if_match).reactivate(by, unit.now)
    put(unit, account, event)
    return account


def erase(unit: Accounts, account_id: UUID, known_hash: str, erasure_id: UUID) -> Erasure:
    """Forget a customer here, and have everybody else do so; raise ``WrongPassword`` if it was changed meanwhile."""
    account = _customer(unit, account_id)
    if account.password_hash != known_hash:
        raise WrongPassword
    gone = account.changed(unit.now)
    erasure = Erasure(account.id, erasure_id, gone.version, gone.changed_at)
    unit.erasures.mark_new(account.id)
    unit.erasures.set(account.id, erasure)
    unit.accounts.set(account.id, None)
    unit.emit(CustomerErased(customer_id=account.id), gone.version, gone.changed_at)
    return erasure


def confirm_erasure(unit: Accounts, customer_id: UUID, part: Part) -> None:
    """Note that a service has forgotten a customer."""
    erasure = unit.erasures.get(customer_id)
    if erasure is None:
        raise LookupError(f"customer {customer_id} was not erased here")
    unit.erasures.set(customer_id, erasure.confirm(part, unit.now))


def _unchanged(unit: Accounts, account_id: UUID, if_match: str) -> Account:
    account = _customer(unit, account_id)
    unchanged_since(if_match, account.version)
    return account


def _customer(unit: Accounts, account_id: UUID) -> Account:
    """The account, if there is one and it is a customer's; raise ``CustomerUnknown``."""
    account = unit.accounts.get(account_id)
    if account is None or account.role != "customer":
        raise CustomerUnknown
    return account
