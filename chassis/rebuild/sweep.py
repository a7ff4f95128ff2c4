"""Drops the shadows that nobody will use any more: they are copies of personal data."""

import structlog
from sqlalchemy import text

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.postgres.database import Postgres
from chassis.rebuild.shadow import drop_shadow
from chassis.runtime.periodic import run_periodically

log = structlog.get_logger()

SWEEP_SECONDS = 5.0
KEPT_DAYS = 7
"""A shadow that was neither swapped nor undone for so long is dropped."""

# A job that died in the middle of a swap that had committed keeps the rows for its undo.
_USELESS = text(f"""
    SELECT DISTINCT shadows.job_id FROM shadows LEFT JOIN jobs ON jobs.id = shadows.job_id
    WHERE jobs.id IS NULL OR jobs.state = 'cancelled' OR jobs.progress ->> 'stage' = 'undone'
        OR (jobs.state = 'failed' AND NOT jobs.progress ? 'swapped')
        OR (jobs.state NOT IN ('planning', 'running') AND (
            shadows.made_at < now() - interval '{KEPT_DAYS} days'
            OR EXISTS (SELECT 1 FROM jobs newer WHERE newer.kind = 'rebuild' AND newer.state = 'done'
                AND newer.request ->> 'replica' = shadows.replica AND newer.created_at > jobs.created_at)))
""")


class ShadowSweep:
    """Drops shadows: after a cancel, a failure or an undo, or when a newer rebuild has replaced them."""

    def __init__(self, database: Postgres) -> None:
        self._database = database

    async def run(self) -> None:
        """Look for shadows to drop, until cancelled."""
        await run_periodically(self.step, "shadows", full=1000, seconds=SWEEP_SECONDS)

    async def step(self) -> int:
        """Drop those that are of no use; return how many."""
        async with self._database.reading() as connection:
            found = list(await connection.scalars(_USELESS))
        for job_id in found:
            try:
                await drop_shadow(self._database, job_id)
            except ConcurrentUpdate:
                # An erasure or a last batch still uses it: the next round drops it.
                continue
            log.info("shadow dropped", job=str(job_id))
        return len(found)
