"""Structured logs, trace ids and metrics."""

import logging
import secrets
import sys
import time
from contextvars import ContextVar
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram
from structlog.typing import ExcInfo

from chassis.runtime.redaction import redacted_traceback

trace: ContextVar[str | None] = ContextVar("trace", default=None)
"""The W3C ``traceparent`` of the current work; the events that it causes carry it."""
ACCESS_LOGGER, REQUEST = "access", "request"
"""The logger of the access log, and the event of each of its lines."""

EVENTS_HANDLED = Counter("shop_events_handled", "Events handled", ["topic", "outcome"])
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
OUTBOX_WAITING = Gauge("shop_outbox_waiting", "Rows that the relay read at its last poll of the outbox")
RELAY_LEADS = Gauge("shop_relay_leads", "1 while this process is the relay of its service")
HTTP_SECONDS = Histogram("shop_http_request_seconds", "REST requests", ["method", "route", "status"])
SECURITY_EVENTS = Counter(
    "shop_security_events",
    "What was granted or refused, and for which reason, as in the security log",
    ["action", "outcome", "reason"],
)
SECURITY_LINES_SUPPRESSED = Counter(
    "shop_security_lines_suppressed", "Lines of the security log that were left out, because there were too many"
)


def new_trace() -> str:
    """A fresh ``traceparent`` (W3C Trace Context §3.2), sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def continued(traceparent: str | None) -> str:
    """The same trace with a span of our own; a new trace where there is none or it is malformed."""
    parts = (traceparent or "").split("-")
    if len(parts) != 4 or [len(p) for p in parts] != [2, 32, 16, 2] or not _is_hex("".join(parts)):
        return new_trace()
    return f"00-{parts[1]}-{secrets.token_hex(8)}-{parts[3]}"


def _is_hex(text: str) -> bool:
    return all(c in "0123456789abcdef" for c in text)


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
        record["trace_id"] = parent.split("-")[1]
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
        if not record.name.startswith(("aiokafka", "faust", "mode", "pymongo", "uvicorn")):
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
