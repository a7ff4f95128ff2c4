"""PostgreSQL schemas before and after migrations, and what in the newer one breaks processes that know the older."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

COLUMNS = """
SELECT table_name, column_name, udt_name, is_nullable = 'YES',
       column_default IS NOT NULL OR is_identity = 'YES' OR is_generated = 'ALWAYS'
FROM information_schema.columns WHERE table_schema = 'public'
"""
CHECKS = """
SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'f', 'x')
"""
UNIQUE = """
SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
WHERE indisunique AND relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    type: str
    nullable: bool
    filled: bool
    """Whether a row that names no value for it gets one."""


@dataclass(frozen=True)
class Schema:
    """Columns by (table, name), and (table, rule) of what rows must satisfy."""

    columns: dict[tuple[str, str], Column]
    rules: set[tuple[str, str]]

    @property
    def tables(self) -> set[str]:
        """The names of the tables."""
        return {table for table, _ in self.columns}


def read_schema(url: str) -> Schema:
    """Read the schema of a database."""
    with psycopg.connect(url) as connection:
        columns = {(row[0], row[1]): Column(*row[2:]) for row in connection.execute(COLUMNS)}
        rules = {(row[0], row[1]) for query in (CHECKS, UNIQUE) for row in connection.execute(query)}
    return Schema(columns, rules)


def breaking_changes(before: Schema, after: Schema) -> Iterator[str]:
    """Name the changes with which a process that knows only ``before`` cannot go on reading and writing."""
    for (table, name), column in before.columns.items():
        now = after.columns.get((table, name))
        if now is None:
            yield f"{table}.{name} is gone"
        elif now.type != column.type:
            yield f"{table}.{name} was {column.type}, and is {now.type}"
        elif column.nullable and not now.nullable:
            yield f"{table}.{name} may not be null any more"
        elif column.filled and not now.filled and not now.nullable:
            yield f"{table}.{name} has no default any more"
    for (table, name), column in after.columns.items():
        new = (table, name) not in before.columns and table in before.tables
        if new and not (column.nullable or column.filled):
            yield f"{table}.{name} is new, and needs a value"
    for table, rule in sorted(after.rules - before.rules):
        if table in before.tables:
            yield f"{table} has a new rule: {rule}"
