"""Computes the verdicts on records, with what the group's database knows about their events."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from chassis.messaging.consumed import ConsumedMessage
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import OPEN, LetterStatus
from chassis.messaging.topic_reader import ReadRecord, TopicReader
from chassis.persistence.database import EventStore
from chassis.replay.domain import Group, Header, Known, Selection, Verdict, customer_of, header_of, verdict
from schemas import CustomerErased

REMEMBERED = 250_000
"""How many event ids are remembered to recognise one that is on its topic twice; a relay repeats what is recent."""


LookedUp = tuple[Collection[UUID], Mapping[UUID, LetterStatus]]
"""Which events were handled, and what became of those that are dead letters."""


class Judged(NamedTuple):
    """A record and its verdict."""

    read: ReadRecord
    header: Header
    verdict: Verdict


class Judge:
    """Judges records in the order in which they are given."""

    def __init__(
        self,
        database: EventStore[Any],
        group_id: str,
        group: Group,
        selection: Selection,
        erased: Collection[str],
        done: Collection[UUID] = (),
    ) -> None:
        self._database, self._group_id = database, group_id
        self._group, self._selection, self._erased = group, selection, erased
        self._done = done
        """Events that this job has brought already, out of their order."""
        self._seen: OrderedDict[int, None] = OrderedDict()
        """Ids as numbers, which the garbage collector does not look at."""

    async def judge(self, records: Sequence[ReadRecord]) -> list[Judged]:
        """The verdicts; two reads of the database, whatever the number of records."""
        headers = [header_of(one.record) for one in records]
        return self._decide(records, headers, *await self._look_up(self._wanted(records, headers)))

    async def judge_parts(self, parts: AsyncIterator[Sequence[ReadRecord]]) -> AsyncGenerator[list[Judged], None]:
        """The verdicts on each part; the database looks up the next part while one is decided and used."""
        waiting: tuple[Sequence[ReadRecord], Sequence[Header], asyncio.Task[LookedUp]] | None = None
        try:
            async for records in parts:
                headers = [header_of(one.record) for one in records]
                looking_up = asyncio.create_task(self._look_up(self._wanted(records, headers)))
                before, waiting = waiting, (records, headers, looking_up)
                # The database gets its question first.
                await asyncio.sleep(0)
                if before:
                    yield self._decide(*before[:2], *await before[2])
            if waiting:
                yield self._decide(*waiting[:2], *await waiting[2])
        finally:
            if waiting:
                waiting[2].cancel()

    def _wanted(self, records: Sequence[ReadRecord], headers: Sequence[Header]) -> list[UUID]:
        """The events to look up: most records of a topic may be of no interest."""
        return [
            header.event_id
            for header, one in zip(headers, records, strict=True)
            if (header.cls is None or header.cls in self._group.handles) and self._selection.selects(header, one.at)
        ]

    def _decide(
        self,
        records: Sequence[ReadRecord],
        headers: Sequence[Header],
        handled: Collection[UUID],
        states: Mapping[UUID, LetterStatus],
    ) -> list[Judged]:
        letters = {event for event, status in states.items() if status.state in OPEN}
        return [
            Judged(one, header, self._verdict(one, header, handled, letters))
            for one, header in zip(records, headers, strict=True)
            if header.event_id not in self._done
        ]

    async def _look_up(self, ids: Sequence[UUID]) -> LookedUp:
        if not ids:
            return (), {}
        return await asyncio.gather(
            self._database.inbox.known(self._group_id, ids),
            self._database.dead_letters.states(self._group_id, ids),
        )

    def _verdict(
        self, one: ReadRecord, header: Header, handled: Collection[UUID], letters: Collection[UUID]
    ) -> Verdict:
        known = Known(handled, letters, repeated=header.event_id.int in self._seen)
        customer = customer_of(one.record, header.cls) if header.event_id not in handled else None
        if self._group.mode == "again":
            customer = customer_of(one.record, header.cls)
        found = verdict(
            self._group,
            self._selection,
            header,
            one.at,
            known,
            erased=customer is not None and customer in self._erased,
        )
        if found not in ("not_subscribed", "filtered"):
            self._remember(header.event_id)
        return found

    def _remember(self, event_id: UUID) -> None:
        self._seen[event_id.int] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)


async def erased_customers(reader: TopicReader, keep_lease: Callable[[], Awaitable[object]]) -> set[str]:
    """The ids of all customers whose erasure is on the topic; ``keep_lease`` is called again and again meanwhile."""
    erased: set[str] = set()
    async with reader.merged(await reader.existing([CustomerErased.topic])) as chunks:
        async for records in chunks:
            for one in records:
                header = header_of(one.record)
                if header.cls is CustomerErased:
                    erased.add(header.key)
            await keep_lease()
    return erased


def readable(consumer: Consumer[Any], judged: Sequence[Judged]) -> list[ConsumedMessage]:
    """What is to be brought, decoded as far as that is possible."""
    found = (consumer.read(one.read.record) for one in judged if one.verdict == "to_bring")
    return [message for message in found if message]
