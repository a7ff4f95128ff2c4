"""Handles events again that were handled before: convergent handlers only, past the inbox, and nothing is emitted."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog

from chassis.jobs.domain import JobInterrupted
from chassis.messaging.consumed import ConsumedMessage
from chassis.messaging.consumer import Consumer
from chassis.persistence.transaction_runner import OpenTransaction, Submission, TransactionRunner
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import retry_soon

log = structlog.get_logger()


class Emitted(Exception):
    """The handler emits an event, so it does not converge: undone."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """What one transaction did."""

    messages: Sequence[ConsumedMessage]
    handled: Sequence[ConsumedMessage]
    failed: Sequence[ConsumedMessage]


Also = Callable[[Any, Repeated], Awaitable[None]]


class Repeater:
    """Runs a consumer's handlers once more."""

    def __init__(self, consumer: Consumer[Any], runner: TransactionRunner[Any]) -> None:
        self._consumer, self._runner = consumer, runner

    async def repeat(self, batch: Sequence[ConsumedMessage], also: Also) -> None:
        """Repeat a batch in one transaction; where its statements fail, event by event."""
        attempt = partial(self._transact, batch, also)
        try:
            await retry_soon(attempt, "replay")
        except JobInterrupted:
            raise
        except Exception as fault:  # noqa: BLE001 - belongs to one of the events, and is counted
            if len(batch) == 1:
                log.warning("repeated event failed", event_id=str(batch[0].event_id), why=redacted(fault)[:300])
                await self._skip(batch, also)
                return
            for one in batch:
                await self.repeat([one], also)

    async def _transact(self, batch: Sequence[ConsumedMessage], also: Also) -> None:
        async with self._runner.transaction(len(batch)) as transaction:
            transaction.uow.repeated = True
            submissions = [self._consumer.submission(one.envelope) if one.envelope else None for one in batch]
            await transaction.load([one for one in submissions if one])
            handled: list[ConsumedMessage] = []
            failed: list[ConsumedMessage] = []
            for one, submission in zip(batch, submissions, strict=True):
                done = submission is not None and _execute(submission, transaction)
                (handled if done else failed).append(one)
            await also(transaction.tx, Repeated(batch, handled, failed))

    async def _skip(self, batch: Sequence[ConsumedMessage], also: Also) -> None:
        async def attempt() -> None:
            async with self._runner.transaction(0) as transaction:
                await also(transaction.tx, Repeated(batch, [], batch))

        await retry_soon(attempt, "replay")


def _execute(submission: Submission[Any, object], transaction: OpenTransaction[Any]) -> bool:
    uow = transaction.uow
    emitted = len(uow.outbox.added)
    try:
        with uow.undone_on_error(submission.cause, submission.trace):
            submission.command.execute(uow)
            if len(uow.outbox.added) > emitted:
                raise Emitted
    except Exception as fault:  # noqa: BLE001 - belongs to this event, and is counted
        log.warning("repeated event failed", event_id=submission.cause, why=redacted(fault)[:300])
        return False
    return True
