"""For how long the oldest of what waits in a queue has been there, where the queue itself does not say."""

REMEMBERED = 512
"""Ends of a queue that are remembered at most."""


class Oldest:
    """Remembers when it saw which end of one queue: positions grow, and what is waiting begins at one of them.

    It knows of nothing before its first look.
    """

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def seconds(self, position: int, end: int, now: float) -> float:
        """Take a look at ``now``: what is at ``position`` is the next, and the queue ends before ``end``."""
        if not self._seen or self._seen[-1][1] < end:
            self._seen.append((now, end))
        # What is at `position` was there when the first end behind it was seen.
        self._seen = [one for one in self._seen if one[1] > position]
        if len(self._seen) > REMEMBERED:
            self._seen = self._seen[::2]
        return now - self._seen[0][0] if self._seen else 0.0
