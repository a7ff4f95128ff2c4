"""The unit of work: what one transaction holds in memory while many steps decide.

A step is one request or one event. All steps of a transaction first say which rows they want, the rows
are loaded with one statement a table, then each step decides in turn, seeing what the steps before it
changed, and in the end everything changed is saved with one statement a table. The number of round
trips therefore does not depend on the number of steps. A step that raises is undone alone.

Pattern: M. Fowler's *Unit of Work* and *Identity Map* (Patterns of Enterprise Application
Architecture, 2002), with the loads gathered in front.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from schemas import Envelope, Event, Message, encode

K = TypeVar("K")
V = TypeVar("V")
R = TypeVar("R")


class NotWanted(LookupError):
    """A step looked at a row that it had not asked for; a mistake in the step, never in its input."""


class Rows(Generic[K, V]):
    """The rows of one kind: asked for, loaded together, changed in memory, saved together."""

    def __init__(self, unit: "Unit") -> None:
        self._unit = unit
        self._wanted: set[K] = set()
        self._loaded: dict[K, V | None] = {}
        self._held: dict[K, V | None] = {}
        self._changed: dict[K, None] = {}

    def want(self, *keys: K) -> None:
        """Ask for rows, before the load."""
        self._wanted.update(keys)

    def fresh(self, key: K) -> None:
        """Say that a key was made just now: nobody has a row with it, and none is looked for."""
        self._loaded[key] = self._held[key] = None

    @property
    def wanted(self) -> list[K]:
        """The keys asked for and not loaded yet."""
        return [key for key in self._wanted if key not in self._held]

    def hold(self, found: Mapping[K, V]) -> None:
        """Take what the load found; a wanted key that it lacks does not exist."""
        rows = {key: found.get(key) for key in self.wanted}
        self._loaded.update(rows)
        self._held.update(rows)

    def find(self, key: K) -> V | None:
        """The row as the steps so far have left it, or None where there is none."""
        try:
            return self._held[key]
        except KeyError:
            raise NotWanted(f"{key!r} was not asked for before the load") from None

    def put(self, key: K, row: V | None) -> None:
        """Replace or add a row; None removes it."""
        before, was_changed = self.find(key), key in self._changed

        def undo() -> None:
            self._held[key] = before
            if not was_changed:
                del self._changed[key]

        self._unit.undoing(undo)
        self._held[key] = row
        self._changed[key] = None

    def loaded(self, key: K) -> V | None:
        """The row as the database had it."""
        return self._loaded[key]

    @property
    def present(self) -> list[V]:
        """Every row in hand that exists."""
        return [row for row in self._held.values() if row is not None]

    @property
    def made(self) -> list[V]:
        """Of the changed rows, those that the database did not have."""
        return [row for key in self._changed if self._loaded[key] is None and (row := self._held[key])]

    @property
    def amended(self) -> list[V]:
        """Of the changed rows, those that it had."""
        return [row for key in self._changed if self._loaded[key] is not None and (row := self._held[key])]

    @property
    def gone(self) -> list[K]:
        """The keys of rows that the database had, and is not to have any more."""
        return [key for key in self._changed if self._held[key] is None and self._loaded[key] is not None]

    @property
    def changed(self) -> list[V]:
        """The rows to save, in the order of their first change."""
        return [row for key in self._changed if (row := self._held[key]) is not None]


class Log(Generic[V]):
    """Rows that are only ever added: journal entries, movements."""

    def __init__(self, unit: "Unit") -> None:
        self._unit = unit
        self.added: list[V] = []

    def add(self, row: V) -> None:
        """Add a row."""
        self._unit.undoing(self.added.pop)
        self.added.append(row)


class Unit:
    """One transaction's rows and the events they cause. Services name their rows in a subclass."""

    source: ClassVar[str]
    """The service, as CloudEvents ``source`` of what it emits."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.cause: str | None = None
        self.trace: str | None = None
        self.outbox: Log[Message] = Log(self)
        self.erased: Log[UUID] = Log(self)
        """Whoever is not to be named any more: dead letters with their ids in them are emptied."""
        self._undo: list[Callable[[], object]] = []

    async def load(self, tx: Any) -> None:
        """Load every wanted row and lock it against other transactions."""
        raise NotImplementedError

    async def save(self, tx: Any) -> None:
        """Write every changed row."""
        raise NotImplementedError

    def emit(self, event: Event, version: int, at: datetime) -> None:
        """Tell the world, once this transaction has committed.

        ``version`` and ``at`` are those of the aggregate after the change; both only ever grow
        (``later``), and the outbox keeps their order.
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

    def undoing(self, action: Callable[[], object]) -> None:
        """Note how to take the change back that is about to be made."""
        self._undo.append(action)

    def decide(self, step: "Step[Any, R]") -> R:
        """Let one step decide; if it raises, nothing of it stays."""
        mark = len(self._undo)
        self.cause, self.trace = step.cause, step.trace
        try:
            return step.decide(self)
        except BaseException:
            while len(self._undo) > mark:
                self._undo.pop()()
            raise


U = TypeVar("U", bound=Unit)
U_contra = TypeVar("U_contra", bound=Unit, contravariant=True)


@dataclass(frozen=True, slots=True)
class Step(Generic[U_contra, R]):
    """One decision: what it wants to look at, and what it does with that."""

    wants: Callable[[U_contra], None]
    decide: Callable[[U_contra], R]
    cause: str | None = None
    trace: str | None = None


def later(now: datetime, before: datetime) -> datetime:
    """The time of a change: now, but always after the change before it, whatever the clocks say."""
    return max(now, before + timedelta(microseconds=1))
