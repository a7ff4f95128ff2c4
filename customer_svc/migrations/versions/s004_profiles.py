"""Profiles and addresses."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "s004"
down_revision = "s003"
branch_labels = None
depends_on = None

BEFORE = {"locale": "en", "marketing": "false", "order_updates": "true", "addresses": "[]"}
"""The values for existing accounts; the columns have no defaults."""


def upgrade() -> None:
    op.add_column("accounts", sa.Column("phone", sa.Text))
    kinds: dict[str, Any] = {
        "locale": sa.Text(),
        "marketing": sa.Boolean(),
        "order_updates": sa.Boolean(),
        "addresses": JSONB(),
    }
    for name, kind in kinds.items():
        op.add_column("accounts", sa.Column(name, kind, nullable=False, server_default=BEFORE[name]))
        op.alter_column("accounts", name, server_default=None)
