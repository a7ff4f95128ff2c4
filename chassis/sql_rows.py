"""PostgreSQL: reading and writing any number of rows at once.

Tables are described with SQLAlchemy; these statements go straight through the driver, prepared, in a pipeline:
reads are sent together, and writes do not wait for each other's answers.
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import namedtuple_row
from sqlalchemy.dialects import postgresql

from chassis.unit import Rows

K = TypeVar("K")
V = TypeVar("V")

_NUMBERS = count()
_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

Row = Mapping[str, Any]


@dataclass
class Tx:
    """A transaction. What is wrong with a statement may only show with a later one, or at its end."""

    driver: AsyncConnection[Any]
    published: bool = False

    async def execute(self, statement: str, parameters: Mapping[str, Any]) -> AsyncCursor[Any]:
        """Send a statement; fetching from the cursor waits for its answer."""
        cursor = self.driver.cursor(row_factory=namedtuple_row)
        return await cursor.execute(statement, parameters, prepare=True)

    async def column(self, statement: str, parameters: Mapping[str, Any]) -> list[Any]:
        """The first column of the answer."""
        return [row[0] for row in await (await self.execute(statement, parameters)).fetchall()]


@dataclass(frozen=True)
class Write:
    """A statement that takes any number of rows, all of them in one parameter, which is JSON."""

    parameter: str
    text: str


def insert_rows(table: sa.Table, *columns: str) -> Write:
    """``INSERT … SELECT …``: any number of rows in one round trip, in their order."""
    parameter, rows = _rows(table, columns)
    names = ", ".join(f'"{name}"' for name in columns)
    return Write(parameter, f'INSERT INTO "{table.name}" ({names}) {rows} ORDER BY nth')


def update_rows(table: sa.Table, key: str, *columns: str) -> Write:
    """``UPDATE … FROM …``: set columns of the rows that ``key`` names."""
    parameter, rows = _rows(table, (key, *columns))
    sets = ", ".join(f'"{name}" = new."{name}"' for name in columns)
    where = f'"{table.name}"."{key}" = new."{key}"'
    return Write(parameter, f'UPDATE "{table.name}" SET {sets} FROM ({rows}) new WHERE {where}')


def upsert_rows(table: sa.Table, key: str, *columns: str, newer: str) -> Write:
    """``INSERT … ON CONFLICT DO UPDATE`` where the column ``newer`` grows: an older row changes nothing."""
    insert = insert_rows(table, key, *columns)
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
    newest = f'"{table.name}"."{newer}" < excluded."{newer}"'
    return Write(insert.parameter, f'{insert.text} ON CONFLICT ("{key}") DO UPDATE SET {sets} WHERE {newest}')


def select_rows(table: sa.Table, key: str, *, lock: bool = True) -> str:
    """``SELECT … WHERE key = ANY(…)``, locked in the order of the key so that nobody deadlocks."""
    # Columns by name: a prepared ``SELECT *`` fails when a migration adds one.
    names = ", ".join(f'"{column.name}"' for column in table.c)
    order = f' ORDER BY "{key}" FOR UPDATE' if lock else ""
    return f'SELECT {names} FROM "{table.name}" WHERE "{key}" = ANY(CAST(%(keys)b AS {_type(table, key)}[])){order}'


Load = tuple[Rows[K, V], str, Callable[[Any], tuple[K, V]]]
"""Rows, the ``select_rows`` statement for them, and what makes (key, value) of a row."""


async def hold(tx: Tx, *loads: Load[Any, Any]) -> None:
    """Load what is wanted, all kinds in one round trip; locks are taken in the order given."""
    sent = [
        (rows, read, await tx.execute(statement, {"keys": wanted}))
        for rows, statement, read in loads
        if (wanted := rows.wanted)
    ]
    for rows, read, cursor in sent:
        rows.hold(dict([read(row) for row in await cursor.fetchall()]))


async def write(tx: Tx, *writes: tuple[Write, Sequence[Row]]) -> None:
    """Write rows, all kinds in one statement; where there are none, nothing."""
    if wanted := [(write, rows) for write, rows in writes if rows]:
        parameters = {write.parameter: orjson.dumps(rows, default=_as_json).decode() for write, rows in wanted}
        await tx.execute(_together(*(write.text for write, _ in wanted)), parameters)


def columns(value: Any, names: Iterable[str]) -> Row:
    """A value whose fields are called as the columns, as a row. (``asdict`` would copy what is in the fields.)"""
    return {str(name): getattr(value, name) for name in names}


@cache
def _together(*statements: str) -> str:
    """Statements on different rows, as one."""
    *first, last = statements
    parts = ", ".join(f"w{nth} AS ({statement})" for nth, statement in enumerate(first))
    return f"WITH {parts} {last}" if parts else last


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _type(table: sa.Table, column: str) -> str:
    return str(table.c[column].type.compile(dialect=_DIALECT))


def _rows(table: sa.Table, columns: Sequence[str]) -> tuple[str, str]:
    """The name of a parameter, and the rows in it as a subquery. One JSON costs less than an array a column."""
    parameter = f"rows{next(_NUMBERS)}"
    types = {name: _type(table, name) for name in columns}
    taken = ", ".join(f'"{name}" {"TEXT" if of_type == "BYTEA" else of_type}' for name, of_type in types.items())
    given = ", ".join(
        f'decode("{name}", \'base64\') AS "{name}"' if of_type == "BYTEA" else f'"{name}"'
        for name, of_type in types.items()
    )
    names = ", ".join(f'"{name}"' for name in columns)
    source = f"ROWS FROM (json_to_recordset(CAST(%({parameter})s AS json)) AS ({taken}))"
    return parameter, f"SELECT {given} FROM {source} WITH ORDINALITY AS r({names}, nth)"
