"""Pacing for loops that work in batches: what arrives during a round is handled together in the next.

A transaction, or a request to the broker, costs about as much for ten events as for one. Without pacing a fast loop
takes every event alone. The busier the machine, the longer a round takes, and the longer the rest after it: rounds
become fewer and larger, until all loops together fit the machine.
"""

from asyncio import sleep
from time import monotonic as clock
from types import TracebackType

REST_TIMES = 2.0
"""A rest is so many times as long as the round before it: rounds cost, not what they handle."""
PER_TIME, MOST_TIMES = 10.0, 6.0
"""A round of many rests longer: as often as long as it took as it had tens of them, and at most six times."""
MOST_SECONDS = 0.1
"""The longest rest that a long round leads to."""


class BatchPacer:
    """``async with pacer:`` a round; it begins ``seconds`` after the one before, and after a rest.

    A round that comes later than that begins at once, and so does one after a round that was ``full``: what has
    waited for it fills the next one too, and a rest would only let more wait.
    """

    def __init__(self, seconds: float, rest_times: float = REST_TIMES) -> None:
        self._seconds, self._rest_times = seconds, rest_times
        self._next = self._began = 0.0
        self.size = 0
        """How many the round handled; to be set within it."""
        self.full = False
        """Whether the round was as large as it need be; to be set within it."""

    async def __aenter__(self) -> None:
        """Wait until the round may begin."""
        if (wait := self._next - clock()) > 0:
            await sleep(wait)
        self._began, self.size, self.full = clock(), 0, False

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Decide when the next may begin."""
        if self.full:
            self._next = 0.0
            return
        now, times = clock(), max(self._rest_times, min(self.size / PER_TIME, MOST_TIMES))
        self._next = max(self._began + self._seconds, now + min((now - self._began) * times, MOST_SECONDS))
