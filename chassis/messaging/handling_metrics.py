"""The metrics of handled events. Those of a type are looked up once: ``labels()`` takes longer than to count."""

from collections.abc import Iterable, Sequence
from functools import cache
from uuid import UUID

from prometheus_client import Counter, Histogram

from chassis.messaging.dead_letters import DeadLetter
from chassis.runtime.telemetry import DEAD_LETTERS, EVENTS_HANDLED, HANDLER_SECONDS


def count_outcomes(
    events: Iterable[tuple[UUID, str, str]], done: Iterable[UUID], letters: Sequence[DeadLetter]
) -> None:
    """Count what became of events, given by id, topic and type; those that are in no list had been handled before."""
    outcomes: dict[UUID, str] = dict.fromkeys(done, "done")
    for letter in letters:
        DEAD_LETTERS.labels(letter.record.topic, letter.reason).inc()
        outcomes[letter.event_id] = letter.state
    for event_id, topic, type_ in events:
        # An event that a batch holds twice is known the second time.
        _events_handled(topic, type_, outcomes.pop(event_id, "known")).inc()


@cache
def _events_handled(topic: str, type_: str, outcome: str) -> Counter:
    return EVENTS_HANDLED.labels(topic, type_, outcome)


@cache
def handler_seconds(type_: str) -> Histogram:
    """The times of the handler of a type."""
    return HANDLER_SECONDS.labels(type_)
