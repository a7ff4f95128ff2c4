"""What the check prints: each step when it begins, and how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Progress:
    """Steps with their seconds, and the time since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.monotonic() - self._start

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print a step, and the seconds it took; a failed one is printed by who catches its exception."""
        begun = time.monotonic()
        self.report(f"  {name} …")
        yield
        self.report(f"✓ {name} ({time.monotonic() - begun:.1f} s)")

    def report(self, text: str) -> None:
        """Print a line."""
        print(f"{self.seconds:6.1f} s  {text}", flush=True)

    def downloaded(self, done: int, total: int) -> None:
        """Count the bytes of a download, as the adapters of the local servers do: not worth a line here."""
