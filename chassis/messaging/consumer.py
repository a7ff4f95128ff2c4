"""The consumer: a batch of messages becomes one transaction; an event that cannot be handled becomes a dead letter.

inbox and load → every command decides in memory and in order → save → outbox → commit. A batch is tried until
it is done, and only then does ``handle`` return and the caller acknowledge:

- a conflict with another transaction: the whole batch again, on fresh reads, many times;
- the database unavailable: again and again, with growing pauses, for as long as it takes;
- anything else: event by event, so that a poison event affects only itself; after a few tries it becomes a
  dead letter, written in the transaction that enters it in the inbox. Later events of its key are parked
  behind it, other keys go on.

An event that kills the process cannot be caught, so attempts are counted: the first events after a start are
recorded before they are handled. Events that were recorded by an earlier start are isolated by shrinking batches: the
more often the process died while one was being handled, the fewer events share its batch, in the end none; after
``max_starts`` such starts the event becomes a dead letter without being handled.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

import structlog

from chassis.jobs.domain import JobInterrupted
from chassis.messaging.consumed import ConsumedMessage, is_misplaced
from chassis.messaging.dead_letters import BlockedStreams, DeadLetter, fingerprint
from chassis.messaging.event_spans import handling_events
from chassis.messaging.handlers import Handlers
from chassis.messaging.handling_metrics import count_outcomes, handler_seconds
from chassis.messaging.records import KafkaRecord, id_of, place_id_of
from chassis.messaging.subscriptions import Starts, begin
from chassis.persistence.database import SubscriptionStore
from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.transaction_runner import Submission, TransactionRunner
from chassis.persistence.unit_of_work import UnitOfWork
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import backoff, retry_until_available
from chassis.runtime.telemetry import RETRIES, traced
from chassis.runtime.tracing import passed_on
from schemas import Envelope, Event, Undecodable, decode

U = TypeVar("U", bound=UnitOfWork)

log = structlog.get_logger()

CONFLICT_SECONDS = 75.0
"""A conflict that lasts longer is no race.

MongoDB keeps the transaction of a client that was killed, and its rows with it, for up to a minute where it is
not configured otherwise (transactionLifetimeLimitSeconds): with a shorter limit good events would become
dead letters.
"""


@dataclass(frozen=True, slots=True)
class Applied:
    """What one transaction did with messages: those that are in neither list had been handled before."""

    messages: Sequence[ConsumedMessage]
    handled: Sequence[ConsumedMessage]
    letters: Sequence[DeadLetter]


Also = Callable[[Any, Applied], Awaitable[None]]
"""What else belongs into the transaction; it may raise ``JobInterrupted``, which rolls the transaction back."""


class Consumer(Generic[U]):
    """One service's consumer group."""

    def __init__(
        self,
        database: SubscriptionStore[Any],
        group: str,
        new_uow: Callable[[datetime], U],
        handlers: Handlers[U],
        *,
        max_batch: int = 500,
        tries: int = 3,
        max_starts: int = 5,
    ) -> None:
        self.group, self.handlers, self.max_batch = group, handlers, max_batch
        self._database = database
        self._runner = TransactionRunner(database, new_uow, feed="kafka", point="consumer")
        self._tries, self._max_starts = tries, max_starts
        # An event that killed this process lies within the first batch of its topic that was not committed.
        self._to_record = dict.fromkeys(self.topics, max_batch)
        self._starts: Starts = {}

    @property
    def topics(self) -> list[str]:
        """The topics of the handled events, without the prefix."""
        return sorted({cls.topic for cls in self.handlers})

    async def begin(self, bootstrap_servers: str, prefix: str) -> None:
        """Decide where each topic begins, before anything is handled; see ``subscriptions``."""
        attempt = partial(begin, self._database.subscriptions, self.group, self.topics, bootstrap_servers, prefix)
        self._starts = await retry_until_available(attempt, "consumer")

    async def handle(self, records: Sequence[KafkaRecord]) -> None:
        """Apply records of one topic to the store, exactly once; return when committed."""
        batch = [message for record in records if self._begun(record) and (message := self.read(record))]
        if not batch:
            return
        if self._to_record[batch[0].record.topic] > 0:
            await self._handle_recorded(batch)
        else:
            await self._settle(batch)

    def _begun(self, record: KafkaRecord) -> bool:
        return not self._starts or record.offset >= self._starts.get(record.topic, {}).get(record.partition, 0)

    async def bring(self, batch: Sequence[ConsumedMessage], also: Also) -> None:
        """Apply messages of any topics as ``handle`` does; ``also`` runs in each transaction."""
        await self._settle(batch, also=also)

    def read(self, record: KafkaRecord) -> ConsumedMessage | None:
        """The message in a record, also if it cannot be decoded; None if this group does not handle its type."""
        try:
            envelope = decode(record.headers, record.value, self.handlers, at=record)
        except Undecodable as fault:
            event_id = place_id_of(record) if is_misplaced(fault) else id_of(record)
            return ConsumedMessage(record, event_id, None, fault)
        return ConsumedMessage(record, envelope.id, envelope) if envelope else None

    async def _handle_recorded(self, batch: Sequence[ConsumedMessage]) -> None:
        """Handle the events after a start: recorded first, and those that were recorded before in isolation."""
        starts: Mapping[UUID, int] = await self._persist(
            partial(self._database.attempts.record, group=self.group, events=_ids(batch))
        )
        if not starts:
            await self._settle(batch, recorded=True)
            return
        fault = RuntimeError(f"being handled at {self._max_starts} starts that the process did not survive")
        for group in self._shrinking_batches(batch, starts):
            if starts.get(group[0].event_id, 0) >= self._max_starts:
                await self._settle([replace(group[0], fault=fault)], recorded=True)
            else:
                await self._persist(partial(self._database.attempts.increment, group=self.group, events=_ids(group)))
                await self._settle(group, recorded=True)

    def _shrinking_batches(
        self, batch: Sequence[ConsumedMessage], starts: Mapping[UUID, int]
    ) -> Iterator[list[ConsumedMessage]]:
        """Split the batch, in order: the more starts an event has killed, the fewer events share its batch."""
        group: list[ConsumedMessage] = []
        limit = self.max_batch
        for one in batch:
            deaths = starts.get(one.event_id, 0)
            own_limit = 1 if deaths >= self._max_starts - 1 else max(1, self.max_batch // 5**deaths)
            if group and len(group) >= min(limit, own_limit):
                yield group
                group, limit = [], self.max_batch
            group.append(one)
            limit = min(limit, own_limit)
        yield group

    async def _persist(self, statement: Callable[[Any], Any]) -> Any:
        """A small transaction of its own, tried until it is done."""

        async def attempt() -> Any:
            async with self._database.transaction() as tx:
                return await statement(tx)

        return await retry_until_available(attempt, "consumer", also=(ConcurrentUpdate,))

    async def _settle(
        self, batch: Sequence[ConsumedMessage], *, recorded: bool = False, also: Also | None = None
    ) -> None:
        """Try until the batch is committed, or split it, or make its one event a dead letter."""
        pauses = backoff(0.002, 1.0)
        failures, race_ends = 0, time.monotonic() + CONFLICT_SECONDS
        while True:
            try:
                return await retry_until_available(
                    partial(self._transact, batch, recorded, also), "consumer", on_retry=_count_unavailable
                )
            except JobInterrupted:
                raise
            except ConcurrentUpdate as error:
                RETRIES.labels("kafka", "conflict").inc()
                if time.monotonic() < race_ends:
                    await asyncio.sleep(next(pauses))
                    continue
                # After that long it is no race: another client keeps the row, or a statement can never succeed.
                fault: Exception = error
            except Exception as error:  # noqa: BLE001 - belongs to one of the events, and is kept with it
                fault = error
            if len(batch) > 1:
                RETRIES.labels("kafka", "split").inc()
                for one in batch:
                    await self._settle([one], recorded=recorded, also=also)
                return None
            failures += 1
            with traced(batch[0].trace):
                log.warning("event failed", event_id=str(batch[0].event_id), try_=failures, exc_info=fault)
            if failures >= self._tries:
                batch = [replace(batch[0], fault=fault)]
            await asyncio.sleep(next(pauses))

    async def _transact(self, batch: Sequence[ConsumedMessage], recorded: bool, also: Also | None) -> None:
        database = self._database
        with handling_events(batch, self.group) as spans:
            async with self._runner.transaction(len(batch)) as transaction:
                tx = transaction.tx
                streams = {stream for one in batch if (stream := one.stream)}
                deduplication = database.inbox.deduplicate(tx, self.group, _ids(batch), streams)
                # Rows for events that turn out to be handled already are loaded in vain, which is rare; loading them
                # together with the inbox saves every batch a round trip.
                submissions = {
                    one.event_id: self.submission(one.envelope, spans.trace_of(one))
                    for one in reversed(batch)
                    if one.envelope and not one.fault
                }
                await transaction.load(submissions.values())
                new, blocked = await deduplication.outcome()
                todo = _first_of_each(batch, new)
                live, letters = self._sort(todo, blocked)
                for one in live:
                    began = time.perf_counter()
                    submissions[one.event_id].execute(transaction.uow)
                    handler_seconds(one.type).observe(time.perf_counter() - began)
                await database.dead_letters.add(tx, letters)
                if recorded:
                    await database.attempts.clear(tx, self.group, _ids(batch))
                if also:
                    await also(tx, Applied(batch, live, letters))
            spans.committed(live)
        if recorded:
            self._to_record[batch[0].record.topic] -= len(todo)
        seen = ((one.event_id, one.record.topic, one.type) for one in batch)
        count_outcomes(seen, [one.event_id for one in live], letters)

    def _sort(
        self, todo: Sequence[ConsumedMessage], blocked: BlockedStreams
    ) -> tuple[list[ConsumedMessage], list[DeadLetter]]:
        """Divide the events into those to handle and dead letters, keeping the order of each key."""
        live, letters = [], []
        for one in todo:
            if blocked.holds(one.stream, one.record):
                letters.append(self._letter(one, "parked", "parked", "behind a dead letter of its key"))
            elif one.fault:
                reason = one.fault.reason if isinstance(one.fault, Undecodable) else "handler_failed"
                letters.append(self._letter(one, "dead", reason, redacted(one.fault)))
                blocked.add(one.stream, one.record)
            else:
                live.append(one)
        return live, letters

    def _letter(self, one: ConsumedMessage, state: Literal["dead", "parked"], reason: str, detail: str) -> DeadLetter:
        if state == "dead":
            with traced(one.trace):
                log.error("dead letter", event_id=str(one.event_id), stream=one.stream, why=detail[:300])
        why = (reason, detail[:2000], fingerprint(reason, one.fault))
        return DeadLetter(one.event_id, self.group, state, one.stream, one.record, *why)

    def submission(self, envelope: Envelope[Event], trace: str | None = None) -> Submission[U, object]:
        """The command that handles an event; ``trace`` is that of what it causes, the event's own by default."""
        command = self.handlers[type(envelope.event)](envelope)
        return Submission(command, cause=str(envelope.id), trace=trace or passed_on(envelope.trace))


def _first_of_each(batch: Sequence[ConsumedMessage], new: Collection[UUID]) -> list[ConsumedMessage]:
    """The new events in order, each once: after a rebalance a batch can hold the same event twice."""
    once = {one.event_id: one for one in reversed(batch) if one.event_id in new}
    return [one for one in batch if once.get(one.event_id) is one]


def _ids(batch: Sequence[ConsumedMessage]) -> list[UUID]:
    return list(dict.fromkeys(one.event_id for one in batch))


def _count_unavailable(_error: BaseException) -> None:
    RETRIES.labels("kafka", "unavailable").inc()
