"""The table of what accounts use.

The pieces that are held are changed by every transaction that changes an order, relatively. Only a transaction that
places or amends orders compares with a limit, and only one of these at a time can be about an account.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from chassis.persistence.postgres.locks import LOCK_ACCOUNTS
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.postgres.rows import Load, Row, insert_rows, select_rows
from chassis.persistence.unit_of_work import IdentityMap
from order_svc.usage.domain import AccountUsage

metadata = sa.MetaData()

account_usage = sa.Table(
    "account_usage",
    metadata,
    sa.Column("customer_id", sa.Uuid, primary_key=True),
    sa.Column("held_pieces", sa.BigInteger, nullable=False),
    sa.Column("window_began_at", sa.DateTime(timezone=True)),
    sa.Column("orders", sa.Integer, nullable=False, server_default="0"),
)

_SELECT = select_rows(account_usage, "customer_id", lock=False)
_UPSERT = (
    insert_rows(account_usage, *account_usage.c.keys()) + " ON CONFLICT (customer_id) DO UPDATE SET"
    " held_pieces = account_usage.held_pieces + excluded.held_pieces,"
    # A transaction that only releases pieces has no window.
    " window_began_at = coalesce(excluded.window_began_at, account_usage.window_began_at),"
    " orders = CASE WHEN excluded.window_began_at IS NULL THEN account_usage.orders ELSE excluded.orders END"
)


def lock_accounts(tx: PipelinedTransaction, customer_ids: Iterable[UUID]) -> None:
    """Keep other transactions that place orders of these accounts waiting until the end of this one.

    Advisory locks, and not the rows: those that are released while orders are rejected or shipped have no part in it.
    """
    tx.execute(LOCK_ACCOUNTS, array(customer_ids))


def load_usage(rows: IdentityMap[UUID, AccountUsage]) -> Load[UUID, AccountUsage]:
    """What loads the usage of accounts, which are locked."""
    return rows, _SELECT, lambda row: (row.customer_id, AccountUsage(*row))


def save_usage(rows: IdentityMap[UUID, AccountUsage], held: Mapping[UUID, int]) -> tuple[str, Sequence[Row]]:
    """What saves the windows of ``rows``, and by how much the pieces that accounts hold have changed (``held``)."""
    changed = {usage.customer_id: usage for usage in rows.changed}
    # In the order of the key, so that transactions cannot deadlock.
    return _UPSERT, [_row(one, held.get(one, 0), changed.get(one)) for one in sorted({*changed, *held})]


def _row(customer_id: UUID, held: int, usage: AccountUsage | None) -> Row:
    return {
        "customer_id": customer_id,
        "held_pieces": held,
        "window_began_at": usage and usage.window_began_at,
        "orders": usage.orders if usage else 0,
    }
