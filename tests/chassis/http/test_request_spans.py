"""The spans of requests that a process answers and of those that it sends."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI, Response

from chassis.http.in_progress import InProgress
from chassis.http.middleware import RequestMiddleware
from chassis.http.request_spans import ServiceClient
from chassis.runtime import span_export
from chassis.runtime.settings import Settings
from chassis.runtime.telemetry import trace, traced
from chassis.runtime.tracing import exporting_spans
from tests.order_svc.product_stub import ProductStub, open_product_stub
from tests.otlp import Collector, ReceivedSpan, collector

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE_ID}-{SPAN_ID}-01"
PRODUCTS = "/v1/products?sku=A"


def exporting_to(url: str) -> Settings:
    return Settings.model_validate({"kafka_bootstrap_servers": "nobody:1", "otel_exporter_otlp_endpoint": url})


@contextmanager
def exported() -> Iterator[Collector]:
    """Spans that are recorded in here; they have arrived when it ends."""
    with collector() as received, exporting_spans("order_svc", exporting_to(received.url)):
        yield received


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    app.add_middleware(RequestMiddleware, in_progress=InProgress())

    async def answer(status: int = 200) -> Response:
        return Response(trace.get(), status)

    for path in ("/v1/mails/{address}", "/health/ready"):
        app.add_api_route(path, answer)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


@pytest.fixture
async def stub() -> AsyncIterator[ProductStub]:
    async with open_product_stub() as stub:
        yield stub


def about(span: ReceivedSpan) -> tuple[str, str, str, object, bool]:
    return span.name, span.kind, span.parent, span.attributes["http.response.status_code"], span.failed


async def test_a_request_is_a_span_with_its_route_and_nothing_personal(api: httpx.AsyncClient) -> None:
    with exported() as received:
        response = await api.get("/v1/mails/ada@example.com", headers={"traceparent": GIVEN})
        await api.get("/v1/mails/ada@example.com?status=503")
        await api.get("/health/ready")
    first, second = received.spans
    assert response.text == f"00-{TRACE_ID}-{first.span_id}-01"
    assert about(first) == ("GET /v1/mails/{address}", "server", SPAN_ID, 200, False)
    assert about(second) == ("GET /v1/mails/{address}", "server", "", 503, True)
    assert first.attributes["shop.request_id"] == response.headers["x-request-id"]
    assert "ada" not in str(received.spans)


@pytest.mark.parametrize("given", ["nonsense", GIVEN.upper(), "00-é", f"00-{'0' * 32}-{SPAN_ID}-01"])
async def test_a_request_with_a_malformed_trace_begins_another(api: httpx.AsyncClient, given: str) -> None:
    header = {b"traceparent": given.encode("latin-1")}
    unrecorded = await api.get("/v1/mails/1", headers=header)
    with exported() as received:
        recorded = await api.get("/v1/mails/1", headers=header)
    assert received.spans[0].parent == ""
    assert recorded.text[3:35] == received.spans[0].trace_id
    for response in (recorded, unrecorded):
        assert response.text[3:35] not in (TRACE_ID, "0" * 32)


async def test_a_collector_that_is_away_stops_no_request(
    api: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(span_export, "FLUSH_SECONDS", 0.1)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "5")
    with exporting_spans("order_svc", exporting_to("http://127.0.0.1:9")):
        assert {(await api.get("/v1/mails/1")).status_code for _ in range(50)} == {200}


async def test_a_request_to_another_service_carries_the_trace_with_and_without_spans(stub: ProductStub) -> None:
    client = ServiceClient(stub.url, 5.0)
    with traced(GIVEN):
        await client.get(PRODUCTS)
        with exported() as received:
            await client.get(PRODUCTS)
            stub.mode = "error"
            await client.get(PRODUCTS)
            stub.mode = "disconnect"
            with pytest.raises(httpx.HTTPError):
                await client.get(PRODUCTS)
    await client.aclose()
    good, bad, broken = received.spans
    assert stub.traces[:2] == [GIVEN, f"00-{TRACE_ID}-{good.span_id}-01"]
    assert about(good) == ("GET", "client", SPAN_ID, 200, False)
    assert about(bad) == ("GET", "client", SPAN_ID, 500, True)
    assert (broken.failed, broken.why) == (True, "RemoteProtocolError")


async def test_a_request_without_a_trace_sends_none(stub: ProductStub) -> None:
    async with ServiceClient(stub.url, 5.0) as client:
        await client.get(PRODUCTS)
    assert stub.traces == []
