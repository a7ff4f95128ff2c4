"""The spans of REST requests: of those that a process answers, and of those that it sends to other services.

Names and attributes: OpenTelemetry's semantic conventions for HTTP. Paths have ids and addresses in them, and queries
what people look for: neither is recorded.
"""

from typing import Any

import httpx
from opentelemetry.trace import Span, SpanKind

from chassis.http.tls import tls_context
from chassis.runtime import tracing
from chassis.runtime.telemetry import trace


def begin_request(method: str, parent: str, request_id: str) -> Span | None:
    """The span of a request that has arrived; None where nothing is recorded."""
    attributes = {"http.request.method": method, "shop.request_id": request_id}
    return tracing.begin(method, SpanKind.SERVER, parent, attributes)


def end_request(span: Span, method: str, route: str, status: int) -> None:
    """End it, with what is known only now."""
    span.update_name(f"{method} {route}")
    span.set_attributes({"http.route": route, "http.response.status_code": status})
    if status >= 500:
        tracing.fail(span, str(status))
    span.end()


class ServiceClient(httpx.AsyncClient):
    """A client of another service's REST API at ``url``: the trace of the current work goes on there."""

    def __init__(self, url: str, timeout: float) -> None:
        """``timeout`` in seconds."""
        super().__init__(base_url=url, timeout=timeout, verify=tls_context())

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send a request, as a span of the current trace."""
        url = request.url
        attributes: tracing.Attributes = {"http.request.method": request.method, "server.address": url.host}
        with tracing.span(request.method, SpanKind.CLIENT, attributes) as span:
            if traceparent := trace.get():
                request.headers["traceparent"] = traceparent
            response = await super().send(request, **options)
            span.set_attribute("http.response.status_code", response.status_code)
            if response.status_code >= 400:
                tracing.fail(span, str(response.status_code))
            return response
