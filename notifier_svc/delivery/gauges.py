"""The gauges of mails that are not sent yet."""

import time

import sqlalchemy as sa
from prometheus_client import Gauge

from chassis.persistence.postgres.database import Postgres
from chassis.runtime.oldest import Oldest

UNSENT = Gauge("shop_mails_unsent", "Mails that are to be sent, or are being sent")
OLDEST_UNSENT_SECONDS = Gauge(
    "shop_mail_oldest_unsent_seconds", "Seconds for which the oldest mail that is not sent yet is known to be there"
)
_UNSENT = sa.text(
    "SELECT count(*) AS unsent, min(position) AS oldest, (SELECT max(position) FROM mails) AS newest"
    " FROM mails WHERE state IN ('queued', 'claimed', 'sending')"
)


class MailGauges:
    """Looks at the mails that are not sent yet."""

    def __init__(self, database: Postgres) -> None:
        self._database, self._oldest = database, Oldest()

    async def refresh(self) -> None:
        """Set the gauges; raise ``DatabaseUnavailable``."""
        async with self._database.reading() as connection:
            row = (await connection.execute(_UNSENT)).one()
        UNSENT.set(row.unsent)
        end = (row.newest or 0) + 1
        oldest = end if row.oldest is None else row.oldest
        OLDEST_UNSENT_SECONDS.set(self._oldest.seconds(oldest, end, time.monotonic()))
