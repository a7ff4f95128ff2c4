"""Exports spans by OTLP (HTTP, protobuf), with OpenTelemetry's SDK. Imported only where an endpoint is set.

Spans wait in a bounded queue, which a thread of the SDK empties: an endpoint that is away, or slow, costs spans and
warnings, and no work waits for it. The SDK reads its other variables itself (``OTEL_EXPORTER_OTLP_HEADERS``,
``OTEL_BSP_MAX_QUEUE_SIZE``, ``OTEL_RESOURCE_ATTRIBUTES``).
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Tracer

from chassis.runtime.exposition import VERSION

FLUSH_SECONDS = 2.0
"""How long a process that ends waits for the endpoint to take the last spans."""


@contextmanager
def tracing_to(endpoint: str, service: str, ratio: float) -> Iterator[Tracer]:
    """A tracer whose spans go to ``endpoint`` (without ``/v1/traces``).

    A trace whose parent is known is recorded if its parent was, a new one with the probability ``ratio``.
    """
    resource = Resource.create(
        {"service.name": service, "service.namespace": "shopstream", "service.version": VERSION}
    )
    sampler = ParentBased(TraceIdRatioBased(ratio))
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", certificate_file=_trusted())
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer("shopstream", VERSION)
    finally:
        # The SDK would wait for 30 seconds, and the supervisor kills what does not end.
        flushing = threading.Thread(target=provider.shutdown, name="flush spans", daemon=True)
        flushing.start()
        flushing.join(FLUSH_SECONDS)


def _trusted() -> str | None:
    """The authorities that all our clients trust, unless the exporter has its own; None for those of its library."""
    return os.environ.get("OTEL_EXPORTER_OTLP_CERTIFICATE") or os.environ.get("SSL_CERT_FILE")
