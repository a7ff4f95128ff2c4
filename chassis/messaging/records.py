"""A message as Kafka delivers it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """One message; ``topic`` without the prefix of the installation."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None

    @property
    def stream(self) -> str | None:
        """The unit of ordering: one key of one topic. None for a message without a key."""
        return None if self.key is None else f"{self.topic}/{printable(self.key)}"


def printable(raw: bytes) -> str:
    """Bytes as text that any database and log can hold; different bytes give different text."""
    return raw.decode(errors="backslashreplace").replace("\x00", "\\x00")
