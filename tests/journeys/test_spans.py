"""The spans of all processes add up to one trace, from a request of a customer to the mail that it causes."""

from uuid import uuid4

from tests.journeys.timelines import timeline_with_mail
from tests.otlp import Collector
from tests.stack import Stack, eventually

# (service, what it does, the parent)
ORDER = {
    ("order_svc", "POST /v1/orders", ""),
    ("order_svc", "send order.events", "POST /v1/orders"),
    ("product_svc", "process order.events", "send order.events"),
    ("product_svc", "send stock.events", "process order.events"),
    ("order_svc", "process stock.events", "send stock.events"),
    ("order_svc", "send order.events", "process stock.events"),
    ("notifier_svc", "process order.events", "send order.events"),
    ("notifier_svc", "send mail", "process order.events"),
    ("notifier_svc", "send notification.events", "send mail"),
    ("order_svc", "process notification.events", "send notification.events"),
}
EXPORT = {
    ("customer_svc", "GET /v1/customers/me/export", ""),
    ("customer_svc", "GET", "GET /v1/customers/me/export"),
    ("order_svc", "GET /v1/exports/orders", "GET"),
    ("notifier_svc", "GET /v1/exports/notifications", "GET"),
}


def traceparent() -> tuple[str, dict[str, str]]:
    """A new trace, and the header of a client that records it."""
    trace_id = uuid4().hex
    return trace_id, {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}


async def wait_for(spans: Collector, trace_id: str, steps: set[tuple[str, str, str]]) -> None:
    async def received() -> bool:
        return steps <= spans.steps(trace_id)

    try:
        await eventually(received, 15, "the spans")
    except AssertionError:
        assert steps <= spans.steps(trace_id)


async def test_one_trace_leads_from_the_request_to_the_mail(shop: Stack, spans: Collector) -> None:
    _, customer = await shop.customer()
    sku = await shop.product(on_hand=10)
    trace_id, header = traceparent()
    placed = await shop.order({**customer, **header}, {sku: 2})
    await timeline_with_mail(shop, placed.headers["location"], customer)
    await wait_for(spans, trace_id, ORDER)
    found = spans.of_trace(trace_id)
    [request] = [span for span in found if span.name == "POST /v1/orders"]
    assert (request.parent, request.kind) == ("00f067aa0ba902b7", "server")
    assert request.attributes["http.response.status_code"] == 202
    assert not any(span.failed for span in found)
    assert {span.kind for span in found if span.name.startswith("process ")} == {"consumer"}
    assert {span.kind for span in found if span.name.startswith("send ")} == {"producer", "client"}


async def test_requests_between_services_belong_to_the_trace_of_the_request(shop: Stack, spans: Collector) -> None:
    _, customer = await shop.customer()
    trace_id, header = traceparent()
    await shop.read("customer", "/v1/customers/me/export", {**customer, **header})
    await wait_for(spans, trace_id, EXPORT)
