"""Opening accounts, and confirming their addresses."""

from uuid import UUID

from chassis.http.errors import NotFound
from customer_svc.domain import account as accounts
from customer_svc.domain.account import Account, Role, normalised
from customer_svc.domain.link import Link, NewLink, made
from customer_svc.errors import AskedJustNow, LinkSpent, VerifiedAlready
from customer_svc.store import Accounts
from schemas import Event


def want_address(unit: Accounts, email: str) -> None:
    """Wants the account with an address."""
    unit.by_email.prefetch(normalised(email))


def register_customer(
    unit: Accounts, account_id: UUID, email: str, name: str, password_hash: str, verify: NewLink, locale: str
) -> None:
    """Open a customer's account; where there is one, tell its owner, and nobody else."""
    if known := account_at(unit, email):
        warned = known.warn(unit.now)
        # Written in any case: a transaction without a write would be faster, and so tell that there is an account.
        put(unit, *(warned or (known, None)))
        return
    link = made(verify, account_id, "verify", unit.now)
    account, registered = accounts.register(account_id, email, name, password_hash, link.mailed, locale, unit.now)
    _open(unit, account)
    put(unit, account, registered)
    put_link(unit, link)


def appoint(unit: Accounts, account_id: UUID, email: str, name: str, password_hash: str, role: Role) -> Account:
    """Give one of us an account with a role; the account that is there already is left as it is."""
    if known := account_at(unit, email):
        return known
    # Whoever appoints knows whose address it is.
    account = Account(account_id, normalised(email), name, password_hash, role, 1, unit.now, verified_at=unit.now)
    _open(unit, account)
    put(unit, account, None)
    return account


def ask_to_verify(unit: Accounts, account_id: UUID, verify: NewLink) -> None:
    """Mail another link that confirms the address; raise ``VerifiedAlready`` or ``AskedJustNow``."""
    account = existing(unit, account_id)
    if account.verified_at:
        raise VerifiedAlready
    link = made(verify, account_id, "verify", unit.now)
    asked = account.ask_to_verify(link.mailed, unit.now)
    if asked is None:
        raise AskedJustNow(retry_after=int(accounts.ASK_EVERY.total_seconds()))
    put(unit, *asked)
    put_link(unit, link)


def verify_email(unit: Accounts, token_hash: str, account_id: UUID) -> None:
    """Confirm the address of an account with the token of a mailed link; raise ``LinkSpent``."""
    account, link = unit.accounts.get(account_id), unit.links.get(token_hash)
    used = link.use("verify", unit.now) if link else None
    if account is None or used is None:
        raise LinkSpent
    unit.links.set(token_hash, used)
    if verified := account.verify(unit.now):
        put(unit, *verified)


def account_at(unit: Accounts, email: str) -> Account | None:
    """The account with an address, if there is one."""
    account_id = unit.by_email.get(normalised(email))
    return unit.accounts.get(account_id) if account_id else None


def existing(unit: Accounts, account_id: UUID) -> Account:
    """The account; raise ``NotFound``."""
    account = unit.accounts.get(account_id)
    if account is None:
        raise NotFound
    return account


def put(unit: Accounts, account: Account, event: Event | None) -> None:
    """Keep an account as it is now, and tell of it. Nobody is told of those that are not customers'."""
    unit.accounts.set(account.id, account)
    if event and account.role == "customer":
        unit.emit(event, account.version, account.changed_at)


def put_link(unit: Accounts, link: Link) -> None:
    """Keep a new link."""
    unit.links.mark_new(link.token_hash)
    unit.links.set(link.token_hash, link)


def _open(unit: Accounts, account: Account) -> None:
    unit.accounts.mark_new(account.id)
    unit.by_email.set(account.email, account.id)
