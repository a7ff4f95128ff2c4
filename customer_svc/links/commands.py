"""What the commands of other nouns do with links."""

from customer_svc.accounts.commands import update_account
from customer_svc.accounts.domain import Account
from customer_svc.links.domain import Link, NewLink
from customer_svc.unit_of_work import CustomerUnitOfWork


def add_link(uow: CustomerUnitOfWork, link: Link) -> None:
    """Store a new link."""
    uow.links.mark_new(link.token_hash)
    uow.links.set(link.token_hash, link)


def contest(uow: CustomerUnitOfWork, account: Account, verify: NewLink) -> None:
    """Note another claim to an unverified e-mail address; its owner gets a link, at most one within an hour."""
    link = verify.issue(account.id, "verify", uow.now)
    contested, event = account.contest(link.mailed, uow.now)
    update_account(uow, contested, event)
    if event:
        add_link(uow, link)
