"""The unit of work of customer_svc: what one transaction can load and change."""

from datetime import datetime
from uuid import UUID

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.rows import load_rows, write_rows
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from customer_svc import SERVICE
from customer_svc.accounts.domain import Account
from customer_svc.accounts.store import accounts_to_load, accounts_to_save, delete_accounts, ids_to_load
from customer_svc.erasure.domain import Erasure
from customer_svc.erasure.store import erasures_to_load, erasures_to_save
from customer_svc.links.domain import Link, VoidedLinks
from customer_svc.links.store import former_ids_to_load, links_to_load, links_to_save, void_links
from customer_svc.sessions.domain import RefreshToken, Session
from customer_svc.sessions.store import sessions_to_load, sessions_to_save, tokens_to_load, tokens_to_save
from customer_svc.totp.domain import Totp
from customer_svc.totp.store import delete_totps, totps_to_load, totps_to_save


class CustomerUnitOfWork(UnitOfWork):
    """The accounts of one transaction, and everything that belongs to them."""

    source = SERVICE

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.ids_by_email: IdentityMap[str, UUID] = IdentityMap(self)
        """Normalised e-mail address → account id; the account itself is loaded as well."""
        self.ids_by_former_email: IdentityMap[str, UUID] = IdentityMap(self)
        """The same for accounts that can go back to an address."""
        self.accounts: IdentityMap[UUID, Account] = IdentityMap(self)
        self.totps: IdentityMap[UUID, Totp] = IdentityMap(self)
        """By the id of the account."""
        self.links: IdentityMap[str, Link] = IdentityMap(self)
        """By the hash of the token."""
        self.voided_links: AppendOnly[VoidedLinks] = AppendOnly(self)
        self.sessions: IdentityMap[UUID, Session] = IdentityMap(self)
        self.refresh_tokens: IdentityMap[str, RefreshToken] = IdentityMap(self)
        """By the hash of the token."""
        self.erasures: IdentityMap[UUID, Erasure] = IdentityMap(self)
        """By the id of the customer."""

    async def load(self, tx: PipelinedTransaction) -> None:
        """Load every prefetched row and lock it against other transactions."""
        # Commands prefetch accounts by e-mail address or by id. Each account is in memory once, by its id: two copies
        # would overwrite each other.
        await load_rows(tx, ids_to_load(self.ids_by_email), former_ids_to_load(self.ids_by_former_email))
        self.accounts.prefetch(*self.ids_by_email.present, *self.ids_by_former_email.present)
        await load_rows(
            tx,
            accounts_to_load(self.accounts),
            totps_to_load(self.totps),
            links_to_load(self.links),
            sessions_to_load(self.sessions),
            tokens_to_load(self.refresh_tokens),
            erasures_to_load(self.erasures),
        )

    async def save(self, tx: PipelinedTransaction) -> None:
        """Write every changed row."""
        # First, because a new account with the same e-mail address may be inserted in the same transaction.
        delete_accounts(tx, self.accounts)
        delete_totps(tx, self.totps)
        void_links(tx, self.voided_links.added)
        write_rows(
            tx,
            *accounts_to_save(self.accounts),
            *totps_to_save(self.totps),
            *links_to_save(self.links),
            *sessions_to_save(self.sessions),
            *tokens_to_save(self.refresh_tokens),
            *erasures_to_save(self.erasures),
        )
