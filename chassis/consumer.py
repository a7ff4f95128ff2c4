"""The consumer: a batch of messages becomes one transaction, and what cannot be handled is set aside.

inbox and load → every event decides in memory and in order → save → outbox → commit. A batch is tried until
it is done, and only then does ``handle`` return and the caller acknowledge:

- a conflict with another transaction: the whole batch again, on fresh reads, a good many times;
- the database away: again and again, with growing pauses, for as long as it takes;
- anything else: event by event, so that a poison event costs only itself; that one, after a few tries,
  becomes a dead letter, written in the transaction that enters it in the inbox. Later events of its key
  are parked behind it, other keys go on.

An event that kills the process cannot be caught, so it is counted: the first events after a start are noted
before they are handled. Those found noted already are handled in smaller and smaller company, the oftener
the process died with them in hand, in the end alone; and one that was in hand at ``max_starts`` starts is set
aside unhandled.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid5

import structlog

from chassis import faults
from chassis.backoff import backoff
from chassis.database import Away, Conflict, Database, DeadLetter, Record, fingerprint
from chassis.telemetry import BATCH_SECONDS, BATCH_SIZE, DEAD_LETTERS, EVENTS_HANDLED, RETRIES, continued
from chassis.telling import told
from chassis.unit import Step, Unit
from schemas import Envelope, Event, Undecodable, decode

U = TypeVar("U", bound=Unit)
E = TypeVar("E", bound=Event)

log = structlog.get_logger()

CONFLICT_SECONDS = 75.0
"""A conflict that lasts longer is no race.

MongoDB keeps the transaction of a client that was killed, and its rows with it, for up to a minute where it is
not told otherwise (transactionLifetimeLimitSeconds): too soon, and good events would become dead letters.
"""

NAMELESS = UUID("5a0d4c1e-6d1f-5c0a-9c55-0d8f6f3b2a10")
"""Namespace (RFC 9562 §5.5) of the ids given to messages that came without one."""


@dataclass(frozen=True, slots=True)
class Handler(Generic[U, E]):
    """What an event does: which rows it looks at, and its effect on them."""

    effect: Callable[[U, Envelope[E]], object]
    wants: Callable[[U, E], None]


Handlers = Mapping[type[Event], Handler[U, Any]]


@dataclass(frozen=True, slots=True)
class Received:
    """A message as far as it could be read: an envelope, or why there is none."""

    record: Record
    event_id: UUID
    envelope: Envelope[Event] | None
    fault: Exception | None = None


class Consumer(Generic[U]):
    """One service's consumer group."""

    def __init__(
        self,
        database: Database[Any],
        group: str,
        open_unit: Callable[[datetime], U],
        handlers: Handlers[U],
        *,
        max_batch: int = 500,
        tries: int = 3,
        max_starts: int = 5,
    ) -> None:
        self.group, self.handlers, self.max_batch = group, handlers, max_batch
        self._database, self._open_unit = database, open_unit
        self._tries, self._max_starts = tries, max_starts
        # An event that killed this process lies within the first batch of its topic that was not committed.
        self._to_note = dict.fromkeys(self.topics, max_batch)

    @property
    def topics(self) -> list[str]:
        """The topics that the handled events are on, without the prefix."""
        return sorted({cls.topic for cls in self.handlers})

    async def handle(self, records: Sequence[Record]) -> None:
        """Bring the effects of records of one topic into the store, exactly once; return when committed."""
        batch = [received for record in records if (received := self._read(record))]
        if not batch:
            return
        if self._to_note[batch[0].record.topic] > 0:
            await self._handle_noted(batch)
        else:
            await self._settle(batch)

    def _read(self, record: Record) -> Received | None:
        try:
            envelope = decode(record.headers, record.value, wanted=self.handlers)
        except Undecodable as fault:
            return Received(record, _id_of(record), None, fault)
        return Received(record, envelope.id, envelope) if envelope else None

    async def _handle_noted(self, batch: Sequence[Received]) -> None:
        """Handle the events after a start: noted first, and those that were noted before with care."""
        starts = await self._persist(partial(self._note, batch))
        if not starts:
            await self._settle(batch, noted=True)
            return
        fault = RuntimeError(f"in hand at {self._max_starts} starts that the process did not survive")
        for group in self._small_groups(batch, starts):
            if starts.get(group[0].event_id, 0) >= self._max_starts:
                await self._settle([_faulty(group[0], fault)], noted=True)
            else:
                await self._persist(partial(self._accuse, group))
                await self._settle(group, noted=True)

    def _small_groups(self, batch: Sequence[Received], starts: Mapping[UUID, int]) -> Iterator[list[Received]]:
        """Part the batch, in order: the more starts an event was in hand at, the fewer events beside it."""
        group: list[Received] = []
        most = self.max_batch
        for one in batch:
            deaths = starts.get(one.event_id, 0)
            company = 1 if deaths >= self._max_starts - 1 else max(1, self.max_batch // 5**deaths)
            if group and len(group) >= min(most, company):
                yield group
                group, most = [], self.max_batch
            group.append(one)
            most = min(most, company)
        yield group

    async def _note(self, batch: Sequence[Received], tx: Any) -> Mapping[UUID, int]:
        return await self._database.suspects(tx, self.group, _ids(batch))

    async def _accuse(self, group: Sequence[Received], tx: Any) -> None:
        await self._database.accuse(tx, self.group, _ids(group))

    async def _persist(self, work: Callable[[Any], Any]) -> Any:
        """A small transaction of its own, tried until it is done."""
        pauses = backoff(0.05, 10.0)
        while True:
            try:
                async with self._database.transaction() as tx:
                    return await work(tx)
            except (Away, Conflict) as error:
                log.warning("waiting for the database", why=str(error)[:200])
                await asyncio.sleep(next(pauses))

    async def _settle(self, batch: Sequence[Received], *, noted: bool = False) -> None:
        """Try until the batch is committed, or split it, or set its one event aside."""
        quick, slow = backoff(0.002, 1.0), backoff(0.1, 10.0)
        failures, race_ends = 0, time.monotonic() + CONFLICT_SECONDS
        while True:
            try:
                with BATCH_SECONDS.labels("kafka").time():
                    return await self._transact(batch, noted=noted)
            except Conflict as error:
                RETRIES.labels("kafka", "conflict").inc()
                if time.monotonic() < race_ends:
                    await asyncio.sleep(next(quick))
                    continue
                # That long it is no race: somebody keeps the row, or a statement can never succeed.
                fault: Exception = error
            except Away as error:
                RETRIES.labels("kafka", "away").inc()
                log.warning("waiting for the database", why=str(error)[:200])
                await asyncio.sleep(next(slow))
                continue
            except Exception as error:  # noqa: BLE001 - belongs to one of the events, and is kept with it
                fault = error
            if len(batch) > 1:
                RETRIES.labels("kafka", "split").inc()
                for one in batch:
                    await self._settle([one], noted=noted)
                return None
            failures += 1
            log.warning("event failed", event_id=str(batch[0].event_id), try_=failures, exc_info=fault)
            if failures >= self._tries:
                batch = [_faulty(batch[0], fault)]
            await asyncio.sleep(next(quick))

    async def _transact(self, batch: Sequence[Received], *, noted: bool) -> None:
        BATCH_SIZE.labels("kafka").observe(len(batch))
        database, unit = self._database, self._open_unit(datetime.now(UTC))
        async with database.transaction() as tx:
            streams = {stream for one in batch if (stream := one.record.stream)}
            admission = database.admit(tx, self.group, _ids(batch), streams)
            # What events that turn out to be known look at is loaded for nothing, which is seldom; what it saves,
            # every batch, is a way there and back.
            steps = {
                one.event_id: self._step(one.envelope) for one in reversed(batch) if one.envelope and not one.fault
            }
            for step in steps.values():
                step.wants(unit)
            await unit.load(tx)
            fresh, blocked = await admission.outcome()
            todo = _first_of_each(batch, fresh)
            live, letters = self._sort(todo, blocked)
            for one in live:
                unit.decide(steps[one.event_id])
            await unit.save(tx)
            await database.publish(tx, unit.outbox.added)
            await database.bury(tx, letters)
            await database.empty(tx, unit.erased.added)
            if noted:
                await database.acquit(tx, self.group, _ids(batch))
            if faults.armed:
                await faults.reach("consumer.commit.before")
        if faults.armed:
            await faults.reach("consumer.commit.after")
        if noted:
            self._to_note[batch[0].record.topic] -= len(todo)
        _count(batch, live, letters)

    def _sort(
        self, todo: Sequence[Received], blocked: Collection[str | None]
    ) -> tuple[list[Received], list[DeadLetter]]:
        """Part the events into those to handle and those to set aside, keeping the order of each key."""
        live, letters, blocked = [], [], set(blocked)
        for one in todo:
            if one.record.stream in blocked:
                letters.append(self._letter(one, "parked", "parked", "behind a dead letter of its key"))
            elif one.fault:
                reason = one.fault.reason if isinstance(one.fault, Undecodable) else "handler_failed"
                letters.append(self._letter(one, "dead", reason, told(one.fault)))
                if one.record.stream:
                    blocked.add(one.record.stream)
            else:
                live.append(one)
        return live, letters

    def _letter(self, one: Received, state: Any, reason: str, detail: str) -> DeadLetter:
        if state == "dead":
            log.error("dead letter", event_id=str(one.event_id), stream=one.record.stream, why=detail[:300])
        return DeadLetter(
            one.event_id, self.group, state, one.record, reason, detail[:2000], fingerprint(reason, one.fault)
        )

    def _step(self, envelope: Envelope[Event]) -> Step[U, object]:
        handler = self.handlers[type(envelope.event)]
        return Step(
            wants=lambda unit: handler.wants(unit, envelope.event),
            decide=lambda unit: handler.effect(unit, envelope),
            cause=str(envelope.id),
            trace=continued(envelope.trace),
        )


def _first_of_each(batch: Sequence[Received], fresh: Collection[UUID]) -> list[Received]:
    """The fresh events in order, each once: after a rebalance a batch can hold the same event twice."""
    once = {one.event_id: one for one in reversed(batch) if one.event_id in fresh}
    return [one for one in batch if once.get(one.event_id) is one]


def _faulty(one: Received, fault: Exception) -> Received:
    return Received(one.record, one.event_id, one.envelope, fault)


def _ids(batch: Sequence[Received]) -> list[UUID]:
    return list(dict.fromkeys(one.event_id for one in batch))


def _id_of(record: Record) -> UUID:
    """The id that an unreadable message claims; where it has none, one that its place always gives it."""
    claimed = dict(record.headers).get("ce_id", b"")
    try:
        return UUID(claimed.decode())
    except ValueError:
        return uuid5(NAMELESS, f"{record.topic}/{record.partition}/{record.offset}")


def _count(batch: Sequence[Received], live: Sequence[Received], letters: Sequence[DeadLetter]) -> None:
    for one in live:
        EVENTS_HANDLED.labels(one.record.topic, "done").inc()
    for letter in letters:
        DEAD_LETTERS.labels(letter.record.topic, letter.reason).inc()
    if known := len(batch) - len(live) - len(letters):
        EVENTS_HANDLED.labels(batch[0].record.topic, "known").inc(known)
