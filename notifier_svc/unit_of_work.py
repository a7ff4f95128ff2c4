"""The unit of work of notifier_svc: the mails, customers and suppressions of one transaction."""

from datetime import datetime
from uuid import UUID

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction
from chassis.persistence.postgres.rows import load_rows, write_rows
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from notifier_svc import SERVICE
from notifier_svc.erasure import store as erasure
from notifier_svc.mails import store as mails
from notifier_svc.mails.domain import Mail
from notifier_svc.mails.metrics import MAILS
from notifier_svc.replicas import store as replicas
from notifier_svc.replicas.domain import Customer
from notifier_svc.suppressions import store as suppressions
from notifier_svc.suppressions.domain import Suppression


class NotifierUnitOfWork(UnitOfWork):
    """All rows of one transaction."""

    source = SERVICE

    def __init__(self, now: datetime, *, withhold_mails: bool = False) -> None:
        """With ``withhold_mails``, new mails are entered in the ledger, but not sent."""
        super().__init__(now)
        self.withhold_mails = withhold_mails
        self.mails: IdentityMap[UUID, Mail] = IdentityMap(self)
        self.customers: IdentityMap[UUID, Customer] = IdentityMap(self)
        self.suppressions: IdentityMap[str, Suppression] = IdentityMap(self)
        """By address."""
        self.to_erase: set[UUID] = set()
        """Customers to be erased: their mails are loaded, and nobody else writes about customers meanwhile."""
        self.unreachable: set[UUID] = set()
        """Those of them whose address is suppressed."""
        self.anonymised: AppendOnly[Customer] = AppendOnly(self)
        """Customers, as they were, whose mails and suppressions are anonymised."""

    async def load(self, tx: PipelinedTransaction) -> None:
        """Load and lock every prefetched row, in one round trip; one more if a customer is erased."""
        # Before any row is locked, so that no two transactions wait for each other.
        if self.to_erase:
            waiting, self.unreachable = await erasure.lock_mails(tx, self.to_erase)
            self.mails.prefetch(*waiting)
        elif self.customers.missing:
            erasure.hold_off_erasures(tx)
        await load_rows(
            tx,
            mails.to_load(self.mails),
            replicas.to_load(self.customers),
            suppressions.to_load(self.suppressions),
        )

    async def save(self, tx: PipelinedTransaction) -> None:
        """Write every changed row."""
        write_rows(
            tx,
            *mails.to_save(self.mails),
            replicas.to_save(self.customers),
            suppressions.to_save(self.suppressions),
        )
        suppressions.delete(tx, self.suppressions.deleted)
        erasure.anonymise(tx, self.anonymised.added)

    def after_commit(self) -> None:
        """Count the mails that were withheld."""
        if self.withhold_mails:
            for mail in self.mails.inserted:
                MAILS.labels(mail.template, "withheld").inc()
