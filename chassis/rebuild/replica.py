"""What a service declares about a replica, so that it can be rebuilt."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from chassis.messaging.handlers import Handlers
from chassis.persistence.unit_of_work import UnitOfWork

U = TypeVar("U", bound=UnitOfWork)

_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Replica(Generic[U]):
    """A table that the events of other services keep up to date.

    Conditions are SQL, in which ``live`` is a row of the live table, and ``rebuilt`` the rebuilt row with its key.
    """

    table: sa.Table
    stream: str
    """The column that has the key of the topics' messages, which is a UUID."""
    handlers: Handlers[U]
    """What feeds it. All of these converge, whatever the order of their streams."""
    touched: Sequence[sa.Table] = ()
    """Other tables that the handlers read or write; they stay empty, or nearly so."""
    ignored: Collection[str] = ()
    """Columns that say nothing about what the events said."""
    kept: str = "false"
    """The live rows that stay as they are: they did not come from a topic, or their customer was erased."""
    anonymous: str | None = None
    """Whether ``{row}`` is what remains of an erased customer; None where the replica is not about customers."""
    erased: str | None = None
    """A query for those of the customers $1 (an array) whose erasure this service has handled."""

    @property
    def name(self) -> str:
        """How ops call it."""
        return self.table.name

    @property
    def key(self) -> str:
        """The column of the primary key."""
        [column] = self.table.primary_key.columns
        return str(column.name)

    @property
    def key_type(self) -> str:
        """The type of the primary key."""
        return self.type_of(self.key)

    @property
    def columns(self) -> list[str]:
        """All columns."""
        return [column.name for column in self.table.c]

    @property
    def compared(self) -> list[str]:
        """The columns that can differ."""
        return [name for name in self.columns if name != self.key and name not in self.ignored]

    @property
    def topics(self) -> list[str]:
        """The topics of the events."""
        return sorted({cls.topic for cls in self.handlers})

    def type_of(self, column: str) -> str:
        """The type of a column."""
        return str(self.table.c[column].type.compile(dialect=_DIALECT))

    def is_anonymous(self, row: str) -> str:
        """The condition that a row, ``live`` or ``rebuilt``, is what remains of an erased customer."""
        return f"coalesce({self.anonymous.format(row=row)}, false)" if self.anonymous else "false"


Replicas = Sequence[Replica[Any]]
"""The replicas of a service."""
