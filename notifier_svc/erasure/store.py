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
# A reply of a mail server may name the mailbox.
_ANONYMISE_MAILS = f"""
    UPDATE mails SET context = '{{}}', recipient = NULL,
        error = CASE WHEN error IS NOT NULL THEN '{CUSTOMER_ERASED}' END
    {_OF_CUSTOMERS}
"""  # noqa: S608
_DELETE_SUPPRESSIONS = (
    "DELETE FROM suppressions WHERE email = ANY(CAST($1 AS text[]))"
    " OR email IN (SELECT recipient FROM mails WHERE customer_id = ANY(CAST($2 AS uuid[])))"
)


async def lock_mails(tx: PipelinedTransaction, customer_ids: Collection[UUID]) -> list[UUID]:
    """Keep out every other write about customers, lock the mails of these, and return those not in a final state."""
    tx.execute(ERASE_ALONE)
    locked = await tx.execute(_LOCK_MAILS, array(customer_ids)).rows()
    return [row.id for row in locked if row.state not in FINAL_STATES]


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
