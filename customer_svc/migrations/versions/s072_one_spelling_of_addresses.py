"""E-mail addresses in their one spelling: accounts whose domain was stored otherwise can be found again.

Of two accounts whose addresses differ in nothing but the spelling, one keeps its own, and logs in with that.
"""

import sqlalchemy as sa
from alembic import op

from chassis.email_address import normalised_email

revision = "s072"
down_revision = "s060"
branch_labels = None
depends_on = None

_FIND = sa.text("SELECT id, email FROM accounts WHERE email LIKE '%xn--%' OR email ~ '[^ -~]'")
_RESPELL = sa.text(
    "UPDATE accounts SET email = :spelling"
    " WHERE id = :id AND NOT EXISTS (SELECT FROM accounts WHERE email = :spelling)"
)


def upgrade() -> None:
    connection = op.get_bind()
    for account_id, email in connection.execute(_FIND).all():
        if (spelling := normalised_email(email)) != email:
            connection.execute(_RESPELL, {"id": account_id, "spelling": spelling})
