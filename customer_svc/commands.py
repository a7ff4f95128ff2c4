"""What can be done in customer_svc. Each function decides inside a transaction that it neither opens nor ends."""

from uuid import UUID

from customer_svc import domain
from customer_svc.domain import Account, Role
from customer_svc.errors import EmailTaken
from customer_svc.store import Accounts


def register_customer(unit: Accounts, account_id: UUID, email: str, name: str, password_hash: str) -> Account:
    """Open a customer's account; raise ``EmailTaken`` where there is one."""
    account, registered = domain.register(account_id, email, name, password_hash, unit.now)
    if unit.by_email.find(account.email):
        raise EmailTaken
    unit.by_email.put(account.email, account)
    unit.emit(registered, account.version, account.changed_at)
    return account


def appoint(unit: Accounts, account_id: UUID, email: str, name: str, password_hash: str, role: Role) -> Account:
    """Give one of us an account with a role; the account that is there already is left as it is."""
    known = unit.by_email.find(domain.normalised(email))
    if known:
        return known
    account = Account(account_id, domain.normalised(email), name, password_hash, role, 1, unit.now)
    unit.by_email.put(account.email, account)
    return account
