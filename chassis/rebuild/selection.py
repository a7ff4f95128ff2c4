"""Which records of the topics a rebuild applies, and with which values."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chassis.messaging.consumed import ConsumedMessage
from chassis.messaging.consumer import Consumer
from chassis.messaging.records import KafkaRecord
from chassis.messaging.topic_reader import ReadRecord
from chassis.rebuild.replica import Replica
from chassis.replay.domain import Header, customer_of, header_of
from chassis.replay.target import ReplayTarget
from schemas import CustomerErased


@dataclass(slots=True)
class Selected:
    """What is to be applied of some records: each with the number of records up to it."""

    messages: list[tuple[int, ConsumedMessage]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str) -> None:
        """Count a record that is not applied, or not as it is on the topic."""
        self.counts[what] = self.counts.get(what, 0) + 1


class Selection:
    """The records that feed a replica. ``erased`` are the customers whose erasure is on the topic."""

    def __init__(
        self, target: ReplayTarget[Any], replica: Replica[Any], key: str | None, erased: Collection[str]
    ) -> None:
        self._target, self._replica, self._key, self._erased = target, replica, key, erased
        self._consumer: Consumer[Any] = Consumer(target.database, target.group, target.new_uow, replica.handlers)

    def wants(self, header: Header) -> bool:
        """Whether a record may change the replica; what cannot be read may."""
        feeds = header.cls is None or header.cls in self._replica.handlers
        return feeds and (self._key is None or header.key == self._key)

    async def select(self, records: Sequence[ReadRecord]) -> Selected:
        """Select, without decoding what is about customers who were erased."""
        selected, wanted = Selected(), []
        for nth, one in enumerate(records, 1):
            header = header_of(one.record)
            if not self.wants(header):
                continue
            if self._replica.erased and customer_of(one.record, header.cls) in self._erased:
                selected.count("erased")
            else:
                wanted.append((nth, header, one.record))
        states = await self._states([header for _, header, _ in wanted])
        for nth, header, record in wanted:
            stored = record
            if header.event_id in states:
                found = await self._as_edited(header, record, states[header.event_id])
                if found is None:
                    selected.count("discarded")
                    continue
                stored = found
                if stored is not record:
                    selected.count("edited")
            if message := self._consumer.read(stored):
                selected.messages.append((nth, message))
        return selected

    def command(self, message: ConsumedMessage) -> Any:
        """The command that handles a message."""
        assert message.envelope
        return self._consumer.submission(message.envelope)

    async def _states(self, headers: Sequence[Header]) -> dict[Any, str]:
        if not headers:
            return {}
        ids = [header.event_id for header in headers]
        found = await self._target.database.dead_letters.states(self._target.group, ids)
        return {event: status.state for event, status in found.items()}

    async def _as_edited(self, header: Header, record: KafkaRecord, state: str) -> KafkaRecord | None:
        """The record with the value that ops gave its dead letter; None if they discarded it."""
        # An erasure is done whatever became of its letter.
        if header.cls is CustomerErased:
            return record
        if state == "discarded":
            return None
        letter = await self._target.database.dead_letters.get(header.event_id)
        if letter is None or letter.original is None or letter.record.value is None:
            return record
        return replace(record, value=letter.record.value)
