"""The unit of work: the rows of one transaction in memory, and the events that their changes cause.

A transaction serves many commands: requests that arrived together, or a batch of events. First all of them name the
rows that they need (``prefetch``); these are loaded with one statement a table. Then each command decides in turn,
seeing what the commands before it changed (``execute``). In the end everything that changed is saved with one
statement a table. So the number of round trips does not depend on the number of commands. A command that raises is
undone alone.

Patterns: M. Fowler, *Unit of Work* and *Identity Map* (Patterns of Enterprise Application Architecture, 2002).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from schemas import Envelope, Event, Message, encode

K = TypeVar("K")
V = TypeVar("V")


class NotPrefetched(LookupError):
    """A command read a row that it had not prefetched: a bug in the command, whatever its input."""


class IdentityMap(Generic[K, V]):
    """The rows of one kind by key: prefetched, loaded together, changed in memory, saved together."""

    def __init__(self, uow: "UnitOfWork") -> None:
        self._uow = uow
        self._requested: set[K] = set()
        self._original: dict[K, V | None] = {}
        self._current: dict[K, V | None] = {}
        self._changed: dict[K, None] = {}

    def prefetch(self, *keys: K) -> None:
        """Request rows, before the load."""
        self._requested.update(keys)

    def mark_new(self, key: K) -> None:
        """Declare that a key was made just now: no row can have it, so none is looked for."""
        self._original[key] = self._current[key] = None

    @property
    def missing(self) -> list[K]:
        """The keys that were requested and are not loaded yet."""
        return [key for key in self._requested if key not in self._current]

    def fill(self, found: Mapping[K, V]) -> None:
        """Take the loaded rows; a requested key that is not among them does not exist."""
        rows = {key: found.get(key) for key in self.missing}
        self._original.update(rows)
        self._current.update(rows)

    def get(self, key: K) -> V | None:
        """The row as the commands so far have left it, or None where there is none; raise ``NotPrefetched``."""
        try:
            return self._current[key]
        except KeyError:
            raise NotPrefetched(f"{key!r} was not prefetched") from None

    def set(self, key: K, row: V | None) -> None:
        """Replace or add a row; None deletes it."""
        before, was_changed = self.get(key), key in self._changed

        def undo() -> None:
            self._current[key] = before
            if not was_changed:
                del self._changed[key]

        self._uow.on_undo(undo)
        self._current[key] = row
        self._changed[key] = None

    def original(self, key: K) -> V | None:
        """The row as the database has it."""
        return self._original[key]

    @property
    def present(self) -> list[V]:
        """Every loaded row that exists."""
        return [row for row in self._current.values() if row is not None]

    @property
    def inserted(self) -> list[V]:
        """The changed rows that the database does not have yet."""
        return [row for key in self._changed if self._original[key] is None and (row := self._current[key])]

    @property
    def updated(self) -> list[V]:
        """The changed rows that the database has."""
        return [row for key in self._changed if self._original[key] is not None and (row := self._current[key])]

    @property
    def deleted(self) -> list[K]:
        """The keys of the rows to delete."""
        return [key for key in self._changed if self._current[key] is None and self._original[key] is not None]

    @property
    def changed(self) -> list[V]:
        """The rows to insert or update, in the order of their first change."""
        return [row for key in self._changed if (row := self._current[key]) is not None]


class AppendOnly(Generic[V]):
    """Rows that are only ever added: timeline entries, stock movements, outbox messages."""

    def __init__(self, uow: "UnitOfWork") -> None:
        self._uow = uow
        self.added: list[V] = []

    def add(self, row: V) -> None:
        """Add a row."""
        self._uow.on_undo(self.added.pop)
        self.added.append(row)


class UnitOfWork:
    """One transaction's rows and the events they cause. Each service names its rows in a subclass."""

    source: ClassVar[str]
    """The service, as CloudEvents ``source`` of the events it emits."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.cause: str | None = None
        self.trace: str | None = None
        self.repeated = False
        """Whether a replay handles events again that were handled before (handlers that converge only)."""
        self.outbox: AppendOnly[Message] = AppendOnly(self)
        self.redactions: AppendOnly[UUID] = AppendOnly(self)
        """Ids of erased customers and their orders: dead letters that mention one are redacted."""
        self._undo: list[Callable[[], object]] = []

    async def load(self, tx: Any) -> None:
        """Load every prefetched row and lock it against other transactions."""
        raise NotImplementedError

    def after_commands(self) -> None:
        """Decide what depends on all commands of the transaction together; called once, before they are saved."""

    async def save(self, tx: Any) -> None:
        """Write every changed row."""
        raise NotImplementedError

    def after_commit(self) -> None:
        """Count in metrics what was done; called once, when the transaction has been committed."""

    def emit(self, event: Event, version: int, at: datetime) -> None:
        """Publish an event once this transaction has committed.

        ``version`` and ``at`` are those of the aggregate after the change; both only ever grow
        (``next_time``), and the outbox keeps their order.
        """
        envelope = Envelope(
            id=uuid7(),
            source=f"/shopstream/{self.source}",
            time=at,
            aggregate_version=version,
            event=event,
            cause=self.cause,
            trace=self.trace,
        )
        self.outbox.add(encode(envelope))

    def on_undo(self, action: Callable[[], object]) -> None:
        """Register how to undo the change that is about to be made."""
        self._undo.append(action)

    @contextmanager
    def undone_on_error(self, cause: str | None, trace: str | None) -> Iterator[None]:
        """Run one command in here: if it raises, none of its changes stay.

        ``cause`` (the id of the event that is handled) and ``trace`` (W3C ``traceparent``) go into what it emits.
        """
        mark = len(self._undo)
        self.cause, self.trace = cause, trace
        try:
            yield
        except BaseException:
            while len(self._undo) > mark:
                self._undo.pop()()
            raise


def next_time(now: datetime, before: datetime) -> datetime:
    """The time of a change: now, but always after the change before it, whatever the clocks say."""
    return max(now, before + timedelta(microseconds=1))
