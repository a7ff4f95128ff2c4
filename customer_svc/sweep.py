"""Removes what is over: links, sessions, and counts of tries that nobody makes any more."""

import asyncio

import sqlalchemy as sa
import structlog

from chassis.persistence.errors import DatabaseUnavailable
from chassis.persistence.postgres.database import Postgres

log = structlog.get_logger()

EVERY_SECONDS = 600.0

_OVER = (
    sa.text("DELETE FROM throttles WHERE free_at < now()"),
    sa.text("DELETE FROM links WHERE expires_at < now()"),
    sa.text("DELETE FROM sessions WHERE ends_at < now()"),
)


async def sweep(database: Postgres) -> None:
    """Remove it once; raise ``DatabaseUnavailable``."""
    async with database.reading() as connection:
        for statement in _OVER:
            await connection.execute(statement)


async def sweep_for_ever(database: Postgres) -> None:
    """Remove it again and again, until cancelled."""
    while True:
        try:
            await sweep(database)
        except DatabaseUnavailable as error:
            log.warning("waiting for the database", why=str(error)[:200])
        await asyncio.sleep(EVERY_SECONDS)
