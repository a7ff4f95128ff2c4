"""A pace for loops that serve whatever has come in: what comes meanwhile goes together in the next round.

A transaction, or a message to the broker, costs about as much for ten events as for one. Without a pace a loop that
is quick takes every event alone, and is quick at that. The busier the machine, the longer a round takes, and the
longer the rest after it: rounds become fewer and larger, until all of them together fit the machine.
"""

from asyncio import sleep
from time import monotonic as clock
from types import TracebackType

MOST_SECONDS = 0.05
"""The longest rest for the sake of others."""


class Pace:
    """``async with pace:`` a round; it begins ``seconds`` after the one before, and after a rest as long as that.

    A round for which nothing has come in so long begins at once.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next = self._began = 0.0

    async def __aenter__(self) -> None:
        """Wait until the round may begin."""
        if (wait := self._next - clock()) > 0:
            await sleep(wait)
        self._began = clock()

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Decide when the next may begin."""
        now = clock()
        self._next = max(self._began + self._seconds, now + min(now - self._began, MOST_SECONDS))
