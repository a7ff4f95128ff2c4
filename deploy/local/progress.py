"""How a server adapter reports its progress while it prepares and starts."""

from typing import Protocol


class Progress(Protocol):
    """Receives the progress of one server."""

    def report(self, text: str) -> None:
        """Name the current activity."""

    def downloaded(self, done: int, total: int) -> None:
        """Count the bytes of a download that have arrived."""


class NoProgress:
    """Ignores all progress."""

    def report(self, text: str) -> None:
        """Do nothing."""

    def downloaded(self, done: int, total: int) -> None:
        """Do nothing."""
