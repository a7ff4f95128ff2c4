"""A message as the consumer sees it: an event, or what makes it a dead letter."""

from dataclasses import dataclass
from uuid import UUID

from chassis.messaging.records import KafkaRecord
from schemas import Envelope, Event, Undecodable


@dataclass(frozen=True, slots=True)
class ConsumedMessage:
    """A message as far as it could be read: an envelope, or the fault that makes it a dead letter."""

    record: KafkaRecord
    event_id: UUID
    envelope: Envelope[Event] | None
    fault: Exception | None = None

    @property
    def type(self) -> str:
        """The type of its event; ``unreadable`` without one, since a message can claim anything."""
        return type(self.envelope.event).type if self.envelope else "unreadable"

    @property
    def trace(self) -> str | None:
        """The ``traceparent`` of the work that it belongs to, if there is one."""
        return self.envelope.trace if self.envelope else None

    @property
    def stream(self) -> str | None:
        """The stream that it belongs to; none if it is misplaced: else anybody could block a customer's."""
        return None if is_misplaced(self.fault) else self.record.stream


def is_misplaced(fault: Exception | None) -> bool:
    """Whether a message is not where its event belongs."""
    return isinstance(fault, Undecodable) and fault.reason == "misplaced"
