"""The spans of events: of each that is sent to Kafka, and of each that is handled.

Names and attributes: OpenTelemetry's semantic conventions for messaging and CloudEvents. The header ``traceparent``
is what instrumented Kafka clients read, and names the span of the sending; ``ce_traceparent`` belongs to the event,
and names that of its cause.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from opentelemetry.trace import Span, SpanKind

from chassis.jobs.domain import JobInterrupted
from chassis.messaging.consumed import ConsumedMessage
from chassis.persistence.errors import CommitOutcomeUnknown, ConcurrentUpdate, DatabaseUnavailable
from chassis.runtime import tracing
from schemas import Message

NOT_ITS_FAULT = (ConcurrentUpdate, DatabaseUnavailable, CommitOutcomeUnknown, JobInterrupted)
"""Why a transaction is tried again, without that the event failed."""


@contextmanager
def sending_events(messages: Sequence[Message]) -> Iterator[list[str | None]]:
    """The ``traceparent`` for each message, whose span lasts until the broker has confirmed all of them."""
    spans = [_begin_sending(message) if tracing.recording() else None for message in messages]
    try:
        yield [
            tracing.traceparent_of(span) if span else message.headers.get("ce_traceparent")
            for message, span in zip(messages, spans, strict=True)
        ]
    except BaseException as error:
        for span in filter(None, spans):
            tracing.fail(span, type(error).__name__)
        raise
    finally:
        for span in filter(None, spans):
            span.end()


class EventSpans:
    """The spans of the events of one transaction, from its begin to its end."""

    def __init__(self, batch: Sequence[ConsumedMessage], group: str) -> None:
        self._alone = len(batch) == 1
        self._spans: dict[UUID, Span] = {}
        if tracing.recording():
            begun = ((one.event_id, _begin_handling(one, group)) for one in batch if one.envelope)
            self._spans = {event_id: span for event_id, span in begun if span}

    def trace_of(self, one: ConsumedMessage) -> str:
        """The trace of what an event causes."""
        if self._spans and (span := self._spans.get(one.event_id)):
            return tracing.traceparent_of(span)
        return tracing.passed_on(one.trace)

    def committed(self, handled: Sequence[ConsumedMessage]) -> None:
        """End the spans of events that were handled; others were handled before, and theirs are dropped."""
        if self._spans:
            for one in handled:
                if span := self._spans.get(one.event_id):
                    span.end()

    def failed(self, error: Exception) -> None:
        """End the span of an event that failed alone.

        A batch is tried again, as it is or event by event; and so is any event where others or the database are the
        reason.
        """
        if self._alone and not isinstance(error, NOT_ITS_FAULT):
            for span in self._spans.values():
                tracing.fail(span, type(error).__name__)
                span.end()


@contextmanager
def handling_events(batch: Sequence[ConsumedMessage], group: str) -> Iterator[EventSpans]:
    """The spans of a transaction that runs in here; the caller says what was ``committed``."""
    spans = EventSpans(batch, group)
    try:
        yield spans
    except Exception as error:
        spans.failed(error)
        raise


def _begin_sending(message: Message) -> Span | None:
    headers, topic = message.headers, message.topic
    attributes = _attributes("send", topic, headers.get("ce_type", ""), message.id)
    return tracing.begin(f"send {topic}", SpanKind.PRODUCER, headers.get("ce_traceparent"), attributes)


def _begin_handling(one: ConsumedMessage, group: str) -> Span | None:
    record = one.record
    attributes = _attributes("process", record.topic, one.type, one.event_id) | {
        "messaging.consumer.group.name": group,
        "messaging.destination.partition.id": str(record.partition),
        "messaging.kafka.offset": record.offset,
    }
    return tracing.begin(f"process {record.topic}", SpanKind.CONSUMER, one.trace, attributes)


def _attributes(operation: str, topic: str, type_: str, id_: UUID) -> dict[str, str | int]:
    return {
        "messaging.system": "kafka",
        "messaging.operation.name": operation,
        "messaging.operation.type": operation,
        "messaging.destination.name": topic,
        "messaging.message.id": str(id_),
        "cloudevents.event_type": type_,
    }
