"""Reads the topics of a replica into its shadow; every transaction stores, with the rows, how far it has come."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

import structlog

from chassis.jobs.domain import Job, JobFailed, JobInterrupted
from chassis.jobs.loop import JobLease
from chassis.messaging.consumed import ConsumedMessage
from chassis.messaging.records import printable
from chassis.messaging.topic_reader import Place, ReadRecord, Span, TopicReader
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.persistence.transaction_runner import OpenTransaction, TransactionRunner
from chassis.rebuild.selection import Selected, Selection
from chassis.rebuild.shadow import Shadow
from chassis.replay.request import place_name
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import retry_soon
from schemas import CustomerDeactivated, CustomerErased

log = structlog.get_logger()

MAX_BATCH = 200
SAVE_SECONDS = 1.0
MOST_UNREADABLE = 1000
"""More streams with events that cannot be handled than this are not a rebuild any more."""

Positions = Mapping[str, int]
Change = Callable[[Job], Job]


class ErasureWaits(Exception):
    """A customer is erased by what is left to drain."""


@dataclass(slots=True)
class Outcome:
    """What a transaction has done with messages."""

    applied: int = 0
    erased: int = 0
    unreadable: list[str] = field(default_factory=list)
    """Streams whose event could not be handled."""

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.applied + other.applied, self.erased + other.erased, [*self.unreadable, *other.unreadable]
        )


class Reading:
    """Applies what is on the topics to a shadow. ``job`` is as the last commit has left it."""

    def __init__(
        self, selection: Selection, shadow: Shadow, new_uow: Any, job: Job, lease: JobLease, reader: TopicReader
    ) -> None:
        self.job = job
        self.selection = selection
        self._shadow, self._lease, self._reader = shadow, lease, reader
        self._runner: TransactionRunner[Any] = TransactionRunner(shadow, new_uow, feed="rebuild", point="rebuild")
        self._new_uow = new_uow
        self._saved_at = time.monotonic()
        # What was read since the last commit, and held nothing to apply.
        self._passed: dict[str, int] = {}
        self._passed_counts: Counter[str] = Counter()

    def left(self, ends: Mapping[Place, Span]) -> dict[Place, Span]:
        """What is not read yet of the topics up to these ends."""
        positions: Positions = self.job.progress["positions"]
        return {place: Span(positions.get(place_name(place), span.first), span.end) for place, span in ends.items()}

    @property
    def unreadable(self) -> list[str]:
        """The streams that are left as they are, because an event of theirs could not be handled."""
        return list(self.job.progress.get("unreadable", ()))

    async def upto(self, ends: Mapping[Place, Span]) -> None:
        """Read up to these ends."""
        async with self._reader.merged(self.left(ends)) as chunks:
            async for records in chunks:
                await self._apply_all(records, await self.selection.select(records))
        # A partition may end with control records, which no reader gets.
        await self._pass({place_name(place): span.end for place, span in ends.items()}, {})
        await self.save()

    async def save(self) -> None:
        """Store how far it has come."""
        self.job = await self._lease.commit(self.job, self._further({}, Outcome(), {}))
        self._committed()

    async def rest(self, ends: Mapping[Place, Span]) -> list[ReadRecord]:
        """The records up to these ends, not applied."""
        async with self._reader.merged(self.left(ends)) as chunks:
            return [one async for records in chunks for one in records]

    async def drain(
        self, tx: PipelinedTransaction, rest: Sequence[ReadRecord], ends: Mapping[Place, Span]
    ) -> tuple[int, Change]:
        """Apply the rest in a transaction that is going on; return how much it is, and the job's progress.

        Raise ``ErasureWaits`` if it takes the lock of erasures, for which this transaction is too late.
        """
        selected = await self.selection.select(rest)
        messages = [message for _, message in selected.messages]
        if any(map(_locks_alone, messages)):
            raise ErasureWaits
        outcome = Outcome()
        for nth in range(0, len(messages), MAX_BATCH):
            transaction = OpenTransaction(tx, self._new_uow(datetime.now(UTC)))
            part = await self._execute(transaction, messages[nth : nth + MAX_BATCH], outcome.unreadable)
            transaction.uow.after_commands()
            await transaction.uow.save(tx)
            outcome = outcome + part
        positions = {place_name(place): span.end for place, span in ends.items()}
        return outcome.applied, self._further(positions, outcome, {"read": len(rest), **selected.counts})

    async def _apply_all(self, records: Sequence[ReadRecord], selected: Selected) -> None:
        counts, done = selected.counts, 0
        for batch in _batches(selected.messages):
            upto = batch[-1][0]
            await self._apply([one for _, one in batch], _positions(records[:upto]), counts | {"read": upto - done})
            counts, done = {}, upto
        if done < len(records):
            await self._pass(_positions(records), counts | {"read": len(records) - done})

    async def _apply(self, batch: Sequence[ConsumedMessage], positions: Positions, counts: Mapping[str, int]) -> None:
        try:
            await retry_soon(partial(self._transact, batch, positions, counts), "rebuild")
        except (JobInterrupted, JobFailed):
            raise
        except Exception as fault:  # noqa: BLE001 - belongs to one of the events
            if len(batch) > 1:
                for nth, one in enumerate(batch):
                    last = nth == len(batch) - 1
                    await self._apply([one], positions if last else {}, counts if last else {})
                return
            # Its statements cannot be executed, which belongs to this event.
            log.warning("event not rebuilt", event_id=str(batch[0].event_id), why=redacted(fault)[:300])
            outcome = Outcome(unreadable=[_stream(batch[0])])
            self.job = await self._lease.commit(self.job, self._further(positions, outcome, counts))
        self._committed()

    async def _transact(
        self, batch: Sequence[ConsumedMessage], positions: Positions, counts: Mapping[str, int]
    ) -> None:
        async with self._runner.transaction(len(batch)) as transaction:
            outcome = await self._execute(transaction, batch)
            async with self._shadow.on_live_tables(transaction.tx):
                further = self._further(positions, outcome, counts)
                after = await self._lease.advance(transaction.tx, self.job, further)
        self.job = after

    async def _execute(
        self, transaction: OpenTransaction[Any], batch: Sequence[ConsumedMessage], more: Collection[str] = ()
    ) -> Outcome:
        outcome, unreadable = Outcome(), {*self.unreadable, *more}
        commands = {one.event_id: self.selection.command(one) for one in batch if one.envelope}
        # Takes the lock that holds off erasures; a customer who was erased before it is known after it.
        await transaction.load(commands.values())
        erased = await self._erased(transaction.tx, batch)
        for one in batch:
            stream = _stream(one)
            if stream in unreadable:
                continue
            if stream in erased and not _is_erasure(one):
                outcome.erased += 1
                continue
            try:
                if one.fault:
                    raise one.fault
                commands[one.event_id].execute(transaction.uow)
                outcome.applied += 1
            except Exception as fault:  # noqa: BLE001 - belongs to this event, whose stream is left as it is
                log.warning("event not rebuilt", event_id=str(one.event_id), why=redacted(fault)[:300])
                unreadable.add(stream)
                outcome.unreadable.append(stream)
        return outcome

    async def _erased(self, tx: PipelinedTransaction, batch: Sequence[ConsumedMessage]) -> Collection[str]:
        statement = self._shadow.replica.erased
        streams = [stream for one in batch if _is_uuid(stream := _stream(one))]
        if statement is None or not streams:
            return ()
        return {str(found) for found in await tx.execute(statement, array(streams)).column()}

    async def _pass(self, positions: Positions, counts: Mapping[str, int]) -> None:
        """Note that records were read of which nothing is to be applied."""
        self._passed |= positions
        self._passed_counts.update(counts)
        if time.monotonic() - self._saved_at > SAVE_SECONDS:
            await self.save()

    def _further(self, positions: Positions, outcome: Outcome, counts: Mapping[str, int]) -> Change:
        return partial(_came_further, {**self._passed, **positions}, outcome, self._passed_counts + Counter(counts))

    def _committed(self) -> None:
        self._passed, self._passed_counts = {}, Counter()
        self._saved_at = time.monotonic()


def _came_further(positions: Positions, outcome: Outcome, counts: Mapping[str, int], job: Job) -> Job:
    progress = job.progress
    unreadable = list(dict.fromkeys([*progress.get("unreadable", ()), *outcome.unreadable]))
    if len(unreadable) > MOST_UNREADABLE:
        raise JobFailed(f"events of more than {MOST_UNREADABLE:,} keys cannot be handled: see the log")
    counted = Counter(progress.get("counts", {})) + Counter(counts)
    counted += Counter(applied=outcome.applied, erased=outcome.erased)
    return job.proceed(positions={**progress["positions"], **positions}, unreadable=unreadable, counts=dict(counted))


def _batches(messages: Sequence[tuple[int, ConsumedMessage]]) -> Iterator[list[tuple[int, ConsumedMessage]]]:
    """Those apart that lock out every other write about customers."""
    for _, group in groupby(messages, key=lambda one: _locks_alone(one[1])):
        some = list(group)
        yield from (some[nth : nth + MAX_BATCH] for nth in range(0, len(some), MAX_BATCH))


def _positions(records: Sequence[ReadRecord]) -> dict[str, int]:
    return {place_name((one.record.topic, one.record.partition)): one.record.offset + 1 for one in records}


def _is_erasure(message: ConsumedMessage) -> bool:
    return message.envelope is not None and isinstance(message.envelope.event, CustomerErased)


def _locks_alone(message: ConsumedMessage) -> bool:
    """Whether handlers of the event may take the lock of erasures: they look for orders to cancel."""
    return message.envelope is not None and isinstance(message.envelope.event, CustomerErased | CustomerDeactivated)


def _stream(message: ConsumedMessage) -> str:
    """The key of the message, which the rows of the replica have in one of their columns."""
    return printable(message.record.key or b"")


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
