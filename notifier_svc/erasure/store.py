"""Erasure in the tables: the lock that keeps other writes out, and what is removed from rows that stay."""

from collections.abc import Collection
from uuid import UUID

from chassis.persistence.postgres.locks import ERASE_ALONE, HOLD_OFF_ERASURES
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from notifier_svc.mails.domain import CUSTOMER_ERASED, FINAL_STATES
from notifier_svc.replicas.domain import Customer

_OF_CUSTOMERS = "WHERE customer_id = ANY(CAST($1 AS uuid[]))"
# All are locked, in the order in which others lock some of them.
_LOCK_MAILS = f"SELECT id, state FROM mails {_OF_CUSTOMERS} ORDER BY id FOR UPDATE"  # noqa: S608
# A reply of a mail server may name the mailbox. The confirmation of the erasure is emptied once it was sent.
_ANONYMISE_MAILS = f"""
    UPDATE mails SET context = '{{}}', recipient = NULL,
        error = CASE WHEN error IS NOT NULL THEN '{CUSTOMER_ERASED}' END
    {_OF_CUSTOMERS} AND template <> 'account_erased'
"""  # noqa: S608
_SUPPRESSED = (
    "SELECT c.id FROM customers c JOIN suppressions s ON s.email = c.email WHERE c.id = ANY(CAST($1 AS uuid[]))"
)
_DELETE_SUPPRESSIONS = (
    "DELETE FROM suppressions WHERE email = ANY(CAST($1 AS text[]))"
    " OR email IN (SELECT recipient FROM mails WHERE customer_id = ANY(CAST($2 AS uuid[])))"
)


async def lock_mails(tx: PipelinedTransaction, customer_ids: Collection[UUID]) -> tuple[list[UUID], set[UUID]]:
    """Keep out every other write about customers, and lock the mails of these.

    Return the mails that are not in a final state, and the customers whose address is suppressed.
    """
    tx.execute(ERASE_ALONE)
    ids = array(customer_ids)
    locked, unreachable = tx.execute(_LOCK_MAILS, ids), tx.execute(_SUPPRESSED, ids)
    waiting = [row.id for row in await locked.rows() if row.state not in FINAL_STATES]
    return waiting, {row.id for row in await unreachable.rows()}


def hold_off_erasures(tx: PipelinedTransaction) -> None:
    """Let no customer be erased while this transaction writes about customers."""
    tx.execute(HOLD_OFF_ERASURES)


def anonymise(tx: PipelinedTransaction, customers: Collection[Customer]) -> None:
    """Remove what the mails of these customers say, and the suppressions of their addresses.

    The customers are given as they were before.
    """
    if customers:
        ids = array(customer.id for customer in customers)
        tx.execute(_DELETE_SUPPRESSIONS, array(customer.email for customer in customers), ids)
        tx.execute(_ANONYMISE_MAILS, ids)
