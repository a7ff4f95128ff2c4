"""PostgreSQL: reading and writing any number of rows at once.

Tables are described with SQLAlchemy; these statements go straight through the driver (``pipelined_transaction.py``).
"""

import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.unit_of_work import IdentityMap

K = TypeVar("K")
V = TypeVar("V")

_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]

Row = Mapping[str, Any]


def insert_rows(table: sa.Table, *columns: str, where: str = "true") -> str:
    """``INSERT … SELECT …``: any number of rows, all of them in $1, which is JSON; in their order.

    ``where`` is a condition on a row ``r``.
    """
    names = ", ".join(f'"{name}"' for name in columns)
    return f'INSERT INTO "{table.name}" ({names}) {_rows(table, columns)} WHERE {where} ORDER BY nth'


def update_rows(table: sa.Table, key: str, *columns: str) -> str:
    """``UPDATE … FROM …``: from $1 set columns of the rows that ``key`` names."""
    sets = ", ".join(f'"{name}" = new."{name}"' for name in columns)
    where = f'"{table.name}"."{key}" = new."{key}"'
    return f'UPDATE "{table.name}" SET {sets} FROM ({_rows(table, (key, *columns))}) new WHERE {where}'


def upsert_rows(table: sa.Table, key: str, *columns: str, newer: str) -> str:
    """``INSERT … ON CONFLICT DO UPDATE`` where the column ``newer`` grows: an older row changes nothing."""
    insert = insert_rows(table, key, *columns)
    sets = ", ".join(f'"{name}" = excluded."{name}"' for name in columns)
    newest = f'"{table.name}"."{newer}" < excluded."{newer}"'
    return f'{insert} ON CONFLICT ("{key}") DO UPDATE SET {sets} WHERE {newest}'


def select_rows(table: sa.Table, key: str, *, lock: bool = True) -> str:
    """``SELECT … WHERE key = ANY(…)``, locked in the order of the key to avoid deadlocks."""
    # Columns by name: a prepared ``SELECT *`` fails when a migration adds one.
    names = ", ".join(f'"{column.name}"' for column in table.c)
    order = f' ORDER BY "{key}" FOR UPDATE' if lock else ""
    return f'SELECT {names} FROM "{table.name}" WHERE "{key}" = ANY(CAST($1 AS {_type(table, key)}[])){order}'


Load = tuple[IdentityMap[K, V], str, Callable[[Any], tuple[K, V]]]
"""Rows, the ``select_rows`` statement for them, and what makes (key, value) of a row."""


async def load_rows(tx: PipelinedTransaction, *loads: Load[Any, Any]) -> None:
    """Load the prefetched rows, all kinds in one round trip; locks are taken in the order given."""
    sent = [
        (rows, read, tx.execute(statement, array(missing)))
        for rows, statement, read in loads
        if (missing := rows.missing)
    ]
    for rows, read, result in sent:
        rows.fill(dict([read(row) for row in await result.rows()]))


def write_rows(tx: PipelinedTransaction, *writes: tuple[str, Sequence[Row]]) -> None:
    """Write rows, each kind with its statement, all of these as one; where there are no rows, nothing."""
    if filled := [(statement, rows) for statement, rows in writes if rows]:
        parameters = [orjson.dumps(rows, default=_as_json).decode() for _, rows in filled]
        tx.execute(_together(*(statement for statement, _ in filled)), *parameters)


def columns(value: Any, names: Iterable[str]) -> Row:
    """A value as a row, where fields and columns have the same names. (``asdict`` would copy the fields' values.)"""
    return {str(name): getattr(value, name) for name in names}


@cache
def _together(*statements: str) -> str:
    """Statements on different rows, as one: the first has parameter $1, the second $2, and so on."""
    *first, last = (text.replace("$1", f"${nth}") for nth, text in enumerate(statements, 1))
    parts = ", ".join(f"w{nth} AS ({statement})" for nth, statement in enumerate(first))
    return f"WITH {parts} {last}" if parts else last


def _as_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _type(table: sa.Table, column: str) -> str:
    return str(table.c[column].type.compile(dialect=_DIALECT))


def _rows(table: sa.Table, columns: Sequence[str]) -> str:
    """The rows in $1 as a subquery. One JSON value costs less than an array for each column."""
    types = {name: _type(table, name) for name in columns}
    taken = ", ".join(f'"{name}" {"TEXT" if of_type == "BYTEA" else of_type}' for name, of_type in types.items())
    given = ", ".join(
        f'decode("{name}", \'base64\') AS "{name}"' if of_type == "BYTEA" else f'"{name}"'
        for name, of_type in types.items()
    )
    names = ", ".join(f'"{name}"' for name in columns)
    source = f"ROWS FROM (json_to_recordset(CAST($1 AS json)) AS ({taken}))"
    return f"SELECT {given} FROM {source} WITH ORDINALITY AS r({names}, nth)"
