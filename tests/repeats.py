"""Handling events again, past the inbox, as a replay does; and everything that a repeat must not change."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers, on_repeat
from chassis.persistence.database import Database
from chassis.persistence.mongo.database import Mongo
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.transaction_runner import Submission, TransactionRunner
from chassis.persistence.unit_of_work import UnitOfWork
from chassis.testing import record
from schemas import Envelope, Event, encode
from tests.chassis.tally import stored_letters

U = TypeVar("U", bound=UnitOfWork)

GROUP = "repeats"


E = TypeVar("E", bound=Event)


def happened(event: E, version: int = 1) -> Envelope[E]:
    """An event as another service publishes it."""
    return Envelope(uuid7(), event.source, datetime.now(UTC), version, event)


def convergent(handlers: Handlers[Any]) -> set[type[Event]]:
    """The events whose handlers say that they converge."""
    return {event for event, handler in handlers.items() if on_repeat(handler) == "converge"}


@dataclass(frozen=True)
class Repeating(Generic[U]):
    """A service that handles events, for the first time and again."""

    database: Database[Any]
    new_uow: Callable[[datetime], U]
    handlers: Handlers[U]

    async def handle(self, *envelopes: Envelope[Event]) -> None:
        """Handle events as they arrive from Kafka, one after the other; all of them must be handled."""
        consumer = Consumer(self.database, GROUP, self.new_uow, self.handlers)
        for envelope in envelopes:
            await consumer.handle([record(encode(envelope))])
        letters = await stored_letters(self.database)
        assert [letter["detail"] for letter in letters if letter["consumer_group"] == GROUP] == []

    async def repeat(self, *envelopes: Envelope[Event]) -> None:
        """Handle events again, as one batch."""
        runner = TransactionRunner(self.database, self._repeated, feed="kafka", point="replay")
        commands = [self.handlers[type(envelope.event)](envelope) for envelope in envelopes]
        submissions = [Submission(command, "replay") for command in commands]
        async with runner.transaction(len(envelopes)) as transaction:
            await transaction.load(submissions)
            for submission in submissions:
                submission.execute(transaction.uow)

    def _repeated(self, now: datetime) -> U:
        uow = self.new_uow(now)
        uow.repeated = True
        return uow


async def assert_repeats_change_nothing(service: Repeating[Any], history: Sequence[Envelope[Event]]) -> None:
    """Handle a history in which every convergent event happens, and each of these again: at once, later, together."""
    again = convergent(service.handlers)
    assert {type(envelope.event) for envelope in history} >= again
    for envelope in history:
        await service.handle(envelope)
        if type(envelope.event) in again:
            await _assert_no_change(service, [envelope])
    done = [envelope for envelope in history if type(envelope.event) in again]
    for batch in _batches(done):
        await _assert_no_change(service, batch)


def _batches(done: Sequence[Envelope[Event]]) -> Iterator[Sequence[Envelope[Event]]]:
    yield from ([envelope] for envelope in reversed(done))
    yield done
    yield done[::-1]


async def _assert_no_change(service: Repeating[Any], batch: Sequence[Envelope[Event]]) -> None:
    before = await contents(service.database)
    await service.repeat(*batch)
    after = await contents(service.database)
    for table in before.keys() | after.keys():
        assert after.get(table) == before.get(table), (table, [envelope.event.type for envelope in batch])


async def contents(database: Database[Any]) -> Mapping[str, Sequence[Any]]:
    """All rows of all tables, with the outbox, the inbox and the dead letters.

    In PostgreSQL also which transaction wrote them, so that not even the same values are written again.
    """
    if isinstance(database, Postgres):
        async with database.reading() as connection:
            tables = list(await connection.scalars(sa.text("SELECT relname FROM pg_stat_user_tables")))
            rows = {table: await connection.scalars(sa.text(_ROWS.format(table))) for table in tables}
            return {table: list(found) for table, found in rows.items()}
    assert isinstance(database, Mongo)
    names = await database.db.list_collection_names()
    return {name: await database.db[name].find().sort("_id").to_list() for name in names}


_ROWS = 'SELECT xmin::text || to_jsonb(t)::text AS found FROM "{}" AS t ORDER BY found'
