"""Structured logs, the trace of the current work, and metrics."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

import structlog
from prometheus_client import Counter, Gauge, Histogram
from structlog.typing import ExcInfo

from chassis.runtime.redaction import redacted_traceback

trace: ContextVar[str | None] = ContextVar("trace", default=None)
"""The W3C ``traceparent`` of the current work; the events that it causes carry it."""
ACCESS_LOGGER, REQUEST = "access", "request"
"""The logger of the access log, and the event of each of its lines."""

EVENTS_HANDLED = Counter(
    "shop_events_handled",
    "Events by what became of them: done, known (handled before), dead or parked",
    ["topic", "type", "outcome"],
)
HANDLER_SECONDS = Histogram(
    "shop_handler_seconds",
    "Time in which a handler decides about one event, without the transaction that events share",
    ["type"],
    buckets=(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1),
)
CONSUMER_LAG = Gauge("shop_consumer_lag", "Events that a consumer group has not committed yet", ["group", "topic"])
CONSUMER_LAG_SECONDS = Gauge(
    "shop_consumer_lag_seconds",
    "Seconds for which the oldest event that a consumer group has not committed is known to be there",
    ["group", "topic"],
)
BATCH_SIZE = Histogram(
    "shop_batch_size",
    "Commands that shared a transaction",
    ["feed"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
BATCH_SECONDS = Histogram("shop_batch_seconds", "Time of a transaction, from begin to committed", ["feed"])
RETRIES = Counter("shop_retries", "Transactions tried again", ["feed", "why"])
DEAD_LETTERS = Counter("shop_dead_letters", "Dead letters", ["topic", "reason"])
DEAD_LETTERS_LYING = Gauge(
    "shop_dead_letters_lying",
    "Dead letters that are neither redriven nor discarded, and those parked behind them, as of some seconds ago",
    ["group", "topic", "state"],
)
OUTBOX_PUBLISHED = Counter("shop_outbox_published", "Outbox rows confirmed by the broker")
OUTBOX_WAITING = Gauge("shop_outbox_waiting", "Events in the outbox, up to 100,000, as of some seconds ago")
OUTBOX_OLDEST_SECONDS = Gauge(
    "shop_outbox_oldest_seconds",
    "Seconds since the oldest event in the outbox happened, as of some seconds ago",
)
RELAY_LEADS = Gauge("shop_relay_leads", "1 while this process is the relay of its service")
DEPENDENCY_UP = Gauge(
    "shop_dependency_up",
    "1 if the process could use its database, or Kafka, when this was read; 0 if not: then it is not ready",
    ["dependency"],
)
POOL_IN_USE = Gauge("shop_pool_connections_in_use", "Connections to the database that are in use", ["store"])
BUILD = Gauge("shop_build_info", "1; the labels say what runs", ["version", "python"])
HTTP_SECONDS = Histogram("shop_http_request_seconds", "REST requests", ["method", "route", "status"])
SECURITY_EVENTS = Counter(
    "shop_security_events",
    "What was granted or refused, and for which reason, as in the security log",
    ["action", "outcome", "reason"],
)
SECURITY_LINES_SUPPRESSED = Counter(
    "shop_security_lines_suppressed", "Lines of the security log that were left out, because there were too many"
)


@contextmanager
def traced(traceparent: str | None) -> Iterator[None]:
    """Let what is logged carry this trace."""
    token = trace.set(traceparent)
    try:
        yield
    finally:
        trace.reset(token)


def seconds_since(made: UUID) -> float | None:
    """Return the seconds since a UUIDv7 was made (RFC 9562 §5.7), by this machine's clock; None for other UUIDs."""
    return max(0.0, time.time() - (made.int >> 80) / 1000) if made.version == 7 else None


def configure_logging(service: str, level: str, form: str, *, access_log: bool = False) -> None:
    """Send structlog's and the libraries' records to stdout, one JSON object a line (or text for people)."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _with_trace,
    ]
    renderers = [structlog.processors.JSONRenderer()] if form == "json" else [_with_request_line, _console()]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.ExceptionRenderer(_rendered),
            *renderers,
        ],
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter)
    handler.addFilter(Limit())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("security").setLevel(logging.INFO)
    logging.getLogger(ACCESS_LOGGER).setLevel(_access_level(level, access_log))
    for name in ("aiokafka", "faust", "mode", "uvicorn", "httpx"):
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


def _access_level(level: str, access_log: bool) -> int:
    """Requests are logged as information, which only the access log wants; those that failed are always written."""
    return logging.INFO if access_log or level == "DEBUG" else max(logging.WARNING, logging.getLevelName(level))


def _console() -> structlog.dev.ConsoleRenderer:
    # Colours are for a terminal: in a file they are noise. The traceback is text already.
    return structlog.dev.ConsoleRenderer(
        colors=sys.stdout.isatty(), exception_formatter=structlog.dev.plain_traceback
    )


def _with_request_line(_logger: Any, _method: str, record: Any) -> Any:
    """Begin the line of a request with what people look for."""
    if record["event"] == REQUEST and "route" in record:
        method, route, status, ms = (record.pop(name) for name in ("method", "route", "status", "ms"))
        record["event"] = f"{method} {route} {status} {ms} ms"
    return record


def _rendered(exc_info: ExcInfo) -> str:
    return redacted_traceback(exc_info[1])


def _with_trace(_logger: Any, _method: str, record: Any) -> Any:
    parent = trace.get()
    if parent:
        record["trace_id"] = parent[3:35]
    return record


class Limit(logging.Filter):
    """Let one record of a kind pass every ten seconds, with the number of those suppressed since.

    A Kafka client without its broker writes thousands of equal lines, and so does uvicorn for a client that sends
    garbage; only libraries are limited.
    """

    seconds = 10.0

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Decide about one record."""
        if not record.name.startswith(("aiokafka", "faust", "mode", "opentelemetry", "pymongo", "uvicorn")):
            return True
        kind, now = (record.name, str(record.msg)[:80]), time.monotonic()
        last, held = self._seen.get(kind, (-self.seconds, 0))
        if now - last < self.seconds:
            self._seen[kind] = (last, held + 1)
            return False
        if held:
            record.msg = f"{record.msg} (and {held} more like this)"
        self._seen[kind] = (now, 0)
        return True
