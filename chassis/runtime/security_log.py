"""The security log: what an investigation needs to know, as log lines of the logger ``security`` and as a counter.

No line contains a password, a token or an e-mail address: people are named by the ids of their accounts.
"""

import time
from collections import Counter
from typing import Any, Literal

import structlog

from chassis.runtime.telemetry import SECURITY_EVENTS, SECURITY_LINES_SUPPRESSED

Outcome = Literal["granted", "refused"]

LOGGER = "security"
ROLE_EXCEEDED: tuple[str, Outcome, str] = ("role.exceed", "refused", "forbidden")
"""A request for what the role of its sender does not allow, in any service."""
PER_SOURCE, OVERALL = 30, 1_000
WINDOW_SECONDS = 60.0

_log = structlog.get_logger(LOGGER)


def count_security_event(action: str, outcome: Outcome, reason: str = "") -> None:
    """Count what happened; ``reason`` is the code of the error of what was refused."""
    SECURITY_EVENTS.labels(action, outcome, reason).inc()


def expose_security_event(action: str, outcome: Outcome, reason: str = "") -> None:
    """Expose the count of what has not happened yet: Prometheus sees no increase where a series begins with 1."""
    SECURITY_EVENTS.labels(action, outcome, reason)


def log_security_event(action: str, outcome: Outcome, **details: Any) -> None:
    """Write a line about what happened. Ids are written as text; details without a value are left out."""
    known = {name: str(value) for name, value in details.items() if value not in (None, "")}
    _log.info(action, logger=LOGGER, outcome=outcome, **known)


class LineLimit:
    """Limits what clients who are not authenticated can write to the log: so many lines a minute from one source.

    All sources together have a limit, too. What is suppressed is counted, and how much it was is logged.
    """

    def __init__(self, per_source: int = PER_SOURCE, overall: int = OVERALL) -> None:
        self._per_source, self._overall = per_source, overall
        self._lines: Counter[str] = Counter()
        self._total = self._suppressed = 0
        self._began = time.monotonic()

    def admits(self, source: str) -> bool:
        """Whether a line about this source may be written."""
        if time.monotonic() - self._began >= WINDOW_SECONDS:
            self._begin()
        if self._total >= self._overall or self._lines[source] >= self._per_source:
            self._suppressed += 1
            SECURITY_LINES_SUPPRESSED.inc()
            return False
        self._lines[source] += 1
        self._total += 1
        return True

    def _begin(self) -> None:
        if self._suppressed:
            _log.warning("lines suppressed", logger=LOGGER, lines=self._suppressed)
        self._lines.clear()
        self._total = self._suppressed = 0
        self._began = time.monotonic()
