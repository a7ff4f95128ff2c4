"""What a server adapter tells about its work while it prepares and starts."""

from typing import Protocol


class Progress(Protocol):
    """Listens to one server's work."""

    def say(self, text: str) -> None:
        """Name what is being done now."""

    def fetched(self, done: int, total: int) -> None:
        """So many bytes of a download have arrived."""


class Silent:
    """Listens to nothing."""

    def say(self, text: str) -> None:
        """Ignore it."""

    def fetched(self, done: int, total: int) -> None:
        """Ignore it."""
