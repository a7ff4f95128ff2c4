"""What the commands of other nouns do with links."""

from dataclasses import replace
from uuid import UUID

from chassis.link_tokens import Purpose
from customer_svc.accounts.commands import update_account
from customer_svc.accounts.domain import Account
from customer_svc.errors import LinkInvalid
from customer_svc.links.domain import EPOCH_BOUND, Link, NewLink, VoidedLinks
from customer_svc.unit_of_work import CustomerUnitOfWork


def add_link(uow: CustomerUnitOfWork, link: Link) -> None:
    """Store a new link."""
    uow.links.mark_new(link.token_hash)
    uow.links.set(link.token_hash, link)


def use_link(uow: CustomerUnitOfWork, account_id: UUID, token_hash: str, purpose: Purpose) -> Account:
    """Use a link, and return its account; raise ``LinkInvalid``."""
    account, link = uow.accounts.get(account_id), uow.links.get(token_hash)
    used = link.use(purpose, uow.now) if link else None
    if account is None or used is None or (purpose in EPOCH_BOUND and used.epoch != account.epoch):
        raise LinkInvalid
    uow.links.set(token_hash, used)
    return account


def void_links(uow: CustomerUnitOfWork, account_id: UUID, purpose: Purpose, since_epoch: int = 0) -> None:
    """Let nobody use the account's links for this purpose any more that were made in ``since_epoch`` or later."""
    uow.voided_links.add(VoidedLinks(account_id, purpose, since_epoch))
    # Those in the database are deleted when this is saved; commands of the same transaction may hold some.
    for link in uow.links.present:
        if (link.account_id, link.purpose) == (account_id, purpose) and link.epoch >= since_epoch:
            uow.links.set(link.token_hash, replace(link, used_at=uow.now))


def contest(uow: CustomerUnitOfWork, account: Account, verify: NewLink) -> None:
    """Note another claim to an unverified e-mail address; its owner gets a link, at most one within an hour."""
    link = verify.issue(account.id, "verify", uow.now)
    contested, event = account.contest(link.mailed, uow.now)
    update_account(uow, contested, event)
    if event:
        add_link(uow, link)
