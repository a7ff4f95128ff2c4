"""Redrive: dead letters are handled after all, stream by stream and in order.

One transaction locks the open letters of a stream, executes their handlers in order, and closes them. The first that
fails again stays, as the dead head of its stream with its new reason, and what is behind it stays parked. While a
stream is locked, the consumer parks nothing on it: it waits, and handles what arrives if nothing is left.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog

from chassis.jobs.domain import JobInterrupted
from chassis.messaging.consumed import ConsumedMessage
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import StoredLetter, fingerprint
from chassis.messaging.records import KafkaRecord
from chassis.persistence.database import EventStore
from chassis.persistence.transaction_runner import TransactionRunner
from chassis.persistence.unit_of_work import UnitOfWork
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import retry_soon
from schemas import Undecodable

U = TypeVar("U", bound=UnitOfWork)

log = structlog.get_logger()

CHUNK = 200
"""At most so many letters are brought in one transaction."""
MAX_REDRIVES = 5
"""A letter that was redriven in vain so often has to be edited or discarded."""


@dataclass(frozen=True, slots=True)
class Redriven:
    """What one transaction did with a stream."""

    brought: Sequence[UUID]
    failed: tuple[UUID, str] | None = None
    """The letter at which it stopped, and why."""
    next: UUID | None = None
    """The letter that is the head now, where the stream has more than one transaction can bring."""


Also = Callable[[Any, Redriven], Awaitable[None]]
"""What else belongs into the transaction."""
FetchValue = Callable[[KafkaRecord], Awaitable[bytes | None]]
"""Reads the value of a record again from its topic; None where it is gone."""


class _NeedsValues(Exception):
    """Letters of the stream were redacted: their values have to be read again first."""

    def __init__(self, letters: Sequence[StoredLetter]) -> None:
        self.letters = letters


class _DryRun(Exception):
    """Rolls the transaction back."""

    def __init__(self, outcome: Redriven) -> None:
        self.outcome = outcome


class Redrive(Generic[U]):
    """Brings the letters of a consumer's group; ``fetch`` reads those that were redacted."""

    def __init__(
        self,
        database: EventStore[Any],
        consumer: Consumer[U],
        new_uow: Callable[[datetime], U],
        fetch: FetchValue,
    ) -> None:
        self._database, self._consumer, self._fetch = database, consumer, fetch
        self._runner = TransactionRunner(database, new_uow, feed="redrive", point="redrive")

    async def bring(self, head: UUID, also: Also, *, dry_run: bool = False) -> Redriven:
        """Bring the stream of a letter, up to ``CHUNK`` letters; ``also`` runs in each transaction that commits."""
        try:
            return await self._bring(head, CHUNK, also, dry_run)
        except JobInterrupted:
            raise
        except Exception as fault:  # noqa: BLE001 - belongs to one of the letters
            log.info("redrive letter by letter", event_id=str(head), why=redacted(fault)[:200])
        try:
            return await self._bring(head, 1, also, dry_run)
        except JobInterrupted:
            raise
        except Exception as fault:  # noqa: BLE001 - belongs to this letter, and is kept with it
            return await self._keep(head, fault, also, dry_run)

    async def _bring(self, head: UUID, limit: int, also: Also, dry_run: bool) -> Redriven:
        values: dict[UUID, bytes | None] = {}
        while True:
            attempt = partial(self._transact, head, limit, also, dry_run, values)
            try:
                return await retry_soon(attempt, "redrive")
            except _NeedsValues as needed:
                values |= {letter.event_id: await self._fetch(letter.record) for letter in needed.letters}
            except _DryRun as stopped:
                return stopped.outcome

    async def _keep(self, head: UUID, fault: Exception, also: Also, dry_run: bool) -> Redriven:
        """The letter's statements cannot be executed: store why, without them."""
        outcome = Redriven([], (head, redacted(fault)[:300]))

        async def attempt() -> Redriven:
            async with self._database.transaction() as tx:
                letters = await self._database.dead_letters.lock_stream(tx, head, 1)
                await self._database.dead_letters.update(tx, [_failed(one, fault) for one in letters])
                await also(tx, outcome)
            return outcome

        return outcome if dry_run else await retry_soon(attempt, "redrive")

    async def _transact(
        self, head: UUID, limit: int, also: Also, dry_run: bool, values: Mapping[UUID, bytes | None]
    ) -> Redriven:
        async with self._runner.transaction(limit) as transaction:
            letters = self._database.dead_letters
            found = await letters.lock_stream(transaction.tx, head, limit + 1)
            if missing := [one for one in found[:limit] if one.redacted and one.event_id not in values]:
                raise _NeedsValues(missing)
            messages = [self._consumer.read(_record(letter, values)) for letter in found[:limit]]
            submissions = {
                one.event_id: self._consumer.submission(one.envelope) for one in messages if one and one.envelope
            }
            await transaction.load(submissions.values())
            brought, failed = [], None
            for letter, message in zip(found, messages, strict=False):
                try:
                    _raise_fault(letter, message)
                    if message and message.envelope:
                        submissions[message.event_id].execute(transaction.uow)
                except Exception as fault:  # noqa: BLE001 - belongs to this letter, and is kept with it
                    failed = _failed(letter, fault)
                    break
                brought.append(letter)
            rest = found[len(brought) + 1 :] if failed else found[len(brought) :]
            after = failed or (rest and _head(rest[0])) or None
            changed = [*map(_closed, brought), *([after] if after else [])]
            await letters.update(transaction.tx, changed)
            outcome = Redriven(
                [letter.event_id for letter in brought],
                (failed.event_id, failed.detail[:300]) if failed else None,
                after.event_id if after and not failed else None,
            )
            if dry_run:
                raise _DryRun(outcome)
            await also(transaction.tx, outcome)
        return outcome


def _record(letter: StoredLetter, values: Mapping[UUID, bytes | None]) -> KafkaRecord:
    return replace(letter.record, value=values[letter.event_id]) if letter.event_id in values else letter.record


def _raise_fault(letter: StoredLetter, message: ConsumedMessage | None) -> None:
    if letter.redrives >= MAX_REDRIVES:
        raise RuntimeError(f"redriven {MAX_REDRIVES} times in vain: edit it or discard it")
    if message and message.fault:
        raise message.fault


def _closed(letter: StoredLetter) -> StoredLetter:
    # What was edited stays, because a rebuild needs it.
    value = letter.record.value if letter.original is not None else None
    return replace(letter, state="redriven", record=replace(letter.record, value=value))


def _head(letter: StoredLetter) -> StoredLetter:
    return replace(letter, state="dead")


def _failed(letter: StoredLetter, fault: Exception) -> StoredLetter:
    reason = fault.reason if isinstance(fault, Undecodable) else "handler_failed"
    detail = letter.detail if letter.redacted else redacted(fault)[:2000]
    return replace(
        letter,
        state="dead",
        reason=reason,
        detail=detail,
        fingerprint=fingerprint(reason, fault),
        redrives=min(letter.redrives + 1, MAX_REDRIVES),
    )
