"""Columns and tables have the names that the code and the documentation use."""

from alembic import op

revision = "s030_vocabulary"
down_revision = "s020_answers_by_age"
branch_labels = None
depends_on = None

COLUMNS = {
    "orders": {
        "asked": "reservation_attempts",
        "reminded": "retried",
        "asked_at": "reservation_requested_at",
        "note": "cancellation_note",
        "notes": "customer_notes",
    },
    "customers": {"standing": "account_status", "standing_version": "account_status_version"},
    "idempotency_keys": {"answer": "response"},
    "erased_customers": {"forgotten_at": "erased_at"},
}


def upgrade() -> None:
    op.rename_table("forgotten_customers", "erased_customers")
    op.execute("ALTER INDEX forgotten_customers_pkey RENAME TO erased_customers_pkey")
    op.execute("ALTER INDEX orders_waiting RENAME TO orders_awaiting_reply")
    for table, names in COLUMNS.items():
        for before, after in names.items():
            op.alter_column(table, before, new_column_name=after)
    op.execute(
        "UPDATE orders SET amendment = (amendment - 'alone')"
        " || jsonb_build_object('original_rejected', amendment -> 'alone') WHERE amendment ? 'alone'"
    )
