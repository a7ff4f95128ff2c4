"""Traces (OpenTelemetry): spans where an endpoint for them is set; elsewhere only ids, passed on as they came.

What crosses our own borders, of tasks, transactions, outboxes and tables, is a W3C ``traceparent`` as text
(``telemetry.trace``): the parent of what is done next. OpenTelemetry's own context is not used: work moves between
tasks, and a transaction is shared by many.
"""

import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from chassis.runtime.settings import Settings
from chassis.runtime.telemetry import trace

Attributes = Mapping[str, str | int]

_W3C = TraceContextTextMapPropagator()
# All that we and nearly everybody else write. To find that nothing needs to be done is ten times as fast as to parse.
_PLAIN = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_NOT_SAMPLED = re.compile(_PLAIN.pattern.removesuffix("{2}") + "[02468ace]")

_tracer: Tracer | None = None
"""Set while spans are exported."""


@contextmanager
def exporting_spans(service: str, settings: Settings) -> Iterator[None]:
    """Record spans in here and export them, if there is an endpoint for them; otherwise no SDK is loaded.

    What is not exported in the end is, within ``span_export.FLUSH_SECONDS``.
    """
    global _tracer
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        yield
        return
    from chassis.runtime import span_export

    ratio = settings.otel_traces_sampler_arg
    with span_export.tracing_to(str(endpoint), service, 1.0 if ratio is None else ratio) as _tracer:
        try:
            yield
        finally:
            _tracer = None


def passed_on(traceparent: str | None) -> str:
    """The trace of what has no span of its own: as it came; a new one where there is none or it is malformed."""
    if traceparent and _PLAIN.fullmatch(traceparent):
        return traceparent
    carrier: dict[str, str] = {}
    if traceparent:
        _W3C.inject(carrier, _context(traceparent))
    return carrier.get("traceparent") or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


def recording() -> bool:
    """Whether spans are exported."""
    return _tracer is not None


def begin(name: str, kind: SpanKind, parent: str | None, attributes: Attributes) -> Span | None:
    """A span that the caller ends; None where nothing is recorded. A malformed ``parent`` is none."""
    if _tracer is None or (parent and _NOT_SAMPLED.fullmatch(parent)):
        return None
    return _tracer.start_span(name, _context(parent), kind, attributes)


def traceparent_of(span: Span) -> str:
    """A span as the parent of others; a new trace where the SDK is disabled (``OTEL_SDK_DISABLED``)."""
    carrier: dict[str, str] = {}
    _W3C.inject(carrier, set_span_in_context(span, Context()))
    return carrier.get("traceparent") or passed_on(None)


def fail(span: Span, why: str) -> None:
    """Mark a span as failed; ``why`` is no text that others wrote, which may be personal."""
    span.set_status(Status(StatusCode.ERROR, why))


@contextmanager
def span(name: str, kind: SpanKind, attributes: Attributes) -> Iterator[Span]:
    """What is done in here, as a part of the current trace: it is the parent of what that causes."""
    parent = trace.get()
    one = begin(name, kind, parent, attributes)
    if one is None:
        yield INVALID_SPAN
        return
    token = trace.set(traceparent_of(one))
    try:
        yield one
    except BaseException as error:
        fail(one, type(error).__name__)
        raise
    finally:
        trace.reset(token)
        one.end()


def _context(traceparent: str | None) -> Context:
    return _W3C.extract({"traceparent": traceparent} if traceparent else {})
