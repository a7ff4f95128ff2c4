"""The gauges of mails that are not sent yet."""

import time

import sqlalchemy as sa
from prometheus_client import Gauge

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.oldest import Oldest

UNSENT = Gauge("shop_mails_unsent", "Mails that are to be sent, or are being sent; at most 100000 are counted")
OLDEST_UNSENT_SECONDS = Gauge(
    "shop_mail_oldest_unsent_seconds", "Seconds for which the oldest mail that is not sent yet is known to be there"
)
# Each condition is that of an index: the ledger is kept, and nearly all of it was sent long ago.
UNSENT_MAILS = sa.text(
    "SELECT count(*) AS unsent, min(position) AS oldest, max(position) AS newest FROM ("
    " (SELECT position FROM mails WHERE state IN ('claimed', 'sending') ORDER BY lease_until LIMIT 100000)"
    " UNION ALL"
    " (SELECT position FROM mails WHERE state = 'queued' ORDER BY due_at LIMIT 100000)"
    " LIMIT 100000) AS unsent"
)


class MailGauges:
    """Looks at the mails that are not sent yet."""

    def __init__(self, database: Postgres) -> None:
        self._database, self._oldest, self._end = database, Oldest(), 0

    async def refresh(self) -> None:
        """Set the gauges; raise ``DatabaseUnavailable``."""
        async with self._database.reading() as connection:
            row = (await connection.execute(UNSENT_MAILS)).one()
        UNSENT.set(row.unsent)
        self._end = max(self._end, (row.newest or 0) + 1)
        oldest = self._end if row.oldest is None else row.oldest
        OLDEST_UNSENT_SECONDS.set(self._oldest.seconds(oldest, self._end, time.monotonic()))
