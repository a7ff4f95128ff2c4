"""The metrics of sagas: how long orders take to be confirmed, and which wait for too long."""

import sqlalchemy as sa
from prometheus_client import Gauge, Histogram

from chassis.persistence.postgres.database import Postgres
from order_svc.orders.store import AWAITS_REPLY, MISSES_PIECES, REQUESTED_AT

CONFIRMED_SECONDS = Histogram(
    "shop_order_confirmed_seconds",
    "Seconds from placing an order to its confirmation",
    buckets=(0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300),
)
STUCK = Gauge(
    "shop_sagas_stuck",
    "Orders that have waited SAGA_STUCK_SECONDS or more for a reply about their stock, or have lost reserved pieces",
)
OLDEST_SECONDS = Gauge(
    "shop_saga_oldest_seconds",
    "Seconds for which an order has waited for a reply about its stock: the longest",
)

_WAITING = sa.text(
    "SELECT count(*) FILTER (WHERE seconds >= :stuck)"  # noqa: S608
    f" + (SELECT count(*) FROM orders WHERE {MISSES_PIECES}) AS stuck, coalesce(max(seconds), 0) AS oldest FROM"
    f" (SELECT extract(epoch FROM now() - {REQUESTED_AT})::double precision AS seconds FROM orders"
    f" WHERE {AWAITS_REPLY} ORDER BY {REQUESTED_AT} LIMIT 100000) AS waiting"
)


class SagaGauges:
    """Looks at the orders that wait; ``seconds`` of waiting are too long."""

    def __init__(self, database: Postgres, seconds: float) -> None:
        self._database, self._seconds = database, seconds

    async def refresh(self) -> None:
        """Set the gauges; raise ``DatabaseUnavailable``."""
        async with self._database.reading() as connection:
            row = (await connection.execute(_WAITING, {"stuck": self._seconds})).one()
        STUCK.set(row.stuck)
        OLDEST_SECONDS.set(row.oldest)
