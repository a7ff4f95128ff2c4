"""What ops request of a replay, and what its plan found, as they are stored with the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from chassis.jobs.domain import JobFailed
from chassis.messaging.topic_reader import Place, Span
from chassis.replay.domain import Mode, Selection

Mails = Literal["send", "withhold", "never-sent"]


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """A request; times are milliseconds since 1970."""

    mode: Mode = "missing"
    topic: str | None = None
    type: str | None = None
    key: str | None = None
    trace: str | None = None
    since: int | None = None
    until: int | None = None
    offsets: Mapping[str, tuple[int, int]] | None = None
    """Partition → first offset and end, of the one topic."""

    @property
    def selection(self) -> Selection:
        """The part that each record is compared with."""
        return Selection(self.type, self.key, self.trace, self.since, self.until)


def place_name(place: Place) -> str:
    """As the key of a JSON object."""
    return f"{place[0]}/{place[1]}"


def stored_spans(spans: Mapping[Place, Span]) -> dict[str, list[int]]:
    """Spans as JSON."""
    return {place_name(place): [span.first, span.end] for place, span in spans.items()}


def read_spans(stored: Mapping[str, Any]) -> dict[Place, Span]:
    """Spans from JSON."""
    spans = {}
    for name, (first, end) in stored.items():
        topic, _, partition = name.rpartition("/")
        spans[topic, int(partition)] = Span(first, end)
    return spans


def within(wanted: Span, existing: Span, place: Place) -> Span:
    """The wanted span; raise ``JobFailed`` if any of it is not on the topic, or no more."""
    if len(wanted) and (wanted.first < existing.first or wanted.end > existing.end):
        raise JobFailed(
            f"offsets {wanted.first} to {wanted.end} of {place_name(place)} are not all on the topic, which has"
            f" {existing.first} to {existing.end}"
        )
    return wanted
