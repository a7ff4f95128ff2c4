"""The difference between a live replica and the rebuilt one: by key and column, never by value."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from chassis.persistence.postgres.connection import translated
from chassis.persistence.postgres.database import Postgres
from chassis.rebuild.replica import Replica
from chassis.rebuild.shadow import LIVE

KINDS = ("only_live", "only_rebuilt", "differs")
MOST = 500
"""At most so many keys of each kind are stored with the job; the rest are counted."""
_LONG = sa.text("SET LOCAL statement_timeout = '15min'")


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements that compare a replica with its shadow."""

    replica: Replica[Any]
    schema: str
    key: str | None
    """Compare the rows of this stream alone: a UUID as text."""

    @property
    def clear(self) -> str:
        """Forget the difference."""
        return f"DELETE FROM {self.schema}.difference"

    @property
    def find(self) -> str:
        """Enter all rows that differ, but for those of streams that are left out."""
        key, replica, live, rebuilt = self._names
        columns = ", ".join(
            f"""CASE WHEN live."{name}" IS DISTINCT FROM rebuilt."{name}" THEN '{name}' END"""
            for name in replica.compared
        )
        streams = f'live."{replica.stream}"::text, rebuilt."{replica.stream}"::text'
        only = f"AND '{self.key}' IN ({streams})" if self.key else ""
        return f"""
            INSERT INTO {self.schema}.difference
            SELECT CASE WHEN rebuilt."{key}" IS NULL THEN 'only_live'
                        WHEN live."{key}" IS NULL THEN 'only_rebuilt' ELSE 'differs' END,
                coalesce(live."{key}", rebuilt."{key}"),
                CASE WHEN live."{key}" IS NULL OR rebuilt."{key}" IS NULL THEN '{{}}'
                     ELSE array_remove(ARRAY[{columns}], NULL) END,
                {streams}
            FROM {live} live FULL JOIN {rebuilt} rebuilt ON rebuilt."{key}" = live."{key}"
            WHERE (live."{key}" IS NULL OR rebuilt."{key}" IS NULL
                OR {self._row("live")} IS DISTINCT FROM {self._row("rebuilt")})
                AND NOT coalesce({replica.kept}, false)
                AND NOT EXISTS (SELECT FROM {self.schema}.left_out WHERE stream IN ({streams})) {only}
        """

    @property
    def leave_out(self) -> str:
        """Take the rows of streams that are left out away again."""
        return (
            f"DELETE FROM {self.schema}.difference USING {self.schema}.left_out"
            " WHERE stream IN (live_stream, rebuilt_stream)"
        )

    @property
    def _names(self) -> tuple[str, Replica[Any], str, str]:
        table = self.replica.table.name
        return self.replica.key, self.replica, f'{LIVE}."{table}"', f'{self.schema}."{table}"'

    def _row(self, alias: str) -> str:
        return "ROW(" + ", ".join(f'{alias}."{name}"' for name in self.replica.compared) + ")"


def left_out_rows(schema: str) -> sa.TextClause:
    """Leave out streams; their names are the array ``streams``."""
    return sa.text(f"INSERT INTO {schema}.left_out SELECT unnest(CAST(:streams AS text[])) ON CONFLICT DO NOTHING")


async def find_difference(database: Postgres, statements: Statements, unreadable: Collection[str]) -> None:
    """Compare everything as of one moment, but for the streams of which an event could not be read."""
    with translated():
        async with database.engine.begin() as connection:
            await connection.execute(_LONG)
            await connection.execute(sa.text(statements.clear))
            await connection.execute(sa.text(f"DELETE FROM {statements.schema}.left_out"))
            await connection.execute(left_out_rows(statements.schema), {"streams": list(unreadable)})
            await connection.execute(_plain(statements.find))


async def leave_out(database: Postgres, statements: Statements, streams: Collection[str]) -> int:
    """Leave out streams that were changing at that moment; return how many rows they had."""
    with translated():
        async with database.engine.begin() as connection:
            await connection.execute(_LONG)
            await connection.execute(left_out_rows(statements.schema), {"streams": list(streams)})
            return int((await connection.execute(_plain(statements.leave_out))).rowcount)


async def read_difference(database: Postgres, statements: Statements) -> dict[str, Any]:
    """What was found, as it is stored with the job."""
    schema, counts, found = statements.schema, dict.fromkeys(KINDS, 0), {}
    async with database.reading() as connection:
        counted = sa.text(f"SELECT kind, count(*) AS n FROM {schema}.difference GROUP BY kind")
        counts |= {row.kind: row.n for row in await connection.execute(counted)}
        for kind in KINDS:
            query = f"SELECT key::text, columns FROM {schema}.difference WHERE kind = :kind ORDER BY key LIMIT {MOST}"
            rows = await connection.execute(sa.text(query), {"kind": kind})
            found[kind] = [[row.key, list(row.columns)] for row in rows]
    return {"counts": counts, **found}


def _plain(statement: str) -> sa.TextClause:
    """SQL in which a colon is no parameter."""
    return sa.text(statement.replace(":", "\\:"))
