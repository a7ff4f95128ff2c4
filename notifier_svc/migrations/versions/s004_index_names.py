"""Plain names for the indexes of mails, and a plain reason for mails of erased customers."""

from alembic import op

revision = "s004"
down_revision = "s003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER INDEX mails_in_hand RENAME TO mails_claimed")
    op.execute("ALTER INDEX mails_of_customer RENAME TO mails_by_customer")
    op.execute("ALTER INDEX mails_that_did_not_arrive RENAME TO mails_undelivered")
    op.execute("UPDATE mails SET error = 'the customer was erased' WHERE error = 'forgotten'")
