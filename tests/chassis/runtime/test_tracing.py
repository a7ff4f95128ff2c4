"""Spans are exported where an endpoint is set; elsewhere traces are passed on, and no SDK is loaded."""

import subprocess
import sys
from contextlib import suppress

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, get_current_span
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from pydantic import ValidationError

from chassis.runtime import span_export
from chassis.runtime.settings import Settings
from chassis.runtime.telemetry import trace, traced
from chassis.runtime.tracing import begin, exporting_spans, passed_on, recording, span, traceparent_of
from tests.otlp import collector

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE_ID}-{SPAN_ID}-01"
MALFORMED = [
    *(None, "", "nonsense", GIVEN.upper(), GIVEN[:-1], f"{GIVEN}-more", f"ff{GIVEN[2:]}", f"{GIVEN}\x00"),
    *(f"00-{'0' * 32}-{SPAN_ID}-01", f"00-{TRACE_ID}-{'0' * 16}-01"),
]


def settings(url: str | None, **others: object) -> Settings:
    given = {"kafka_bootstrap_servers": "unreachable:9092", "otel_exporter_otlp_endpoint": url, **others}
    return Settings.model_validate(given)


@pytest.mark.parametrize("given", [GIVEN, f"{GIVEN[:-1]}0"])
def test_without_spans_a_trace_is_passed_on_as_it_came(given: str) -> None:
    assert passed_on(given) == given
    # What is not parsed is what OpenTelemetry would make of it.
    context = TraceContextTextMapPropagator().extract({"traceparent": given}, Context())
    assert traceparent_of(get_current_span(context)) == given


def test_a_trace_of_a_later_version_is_passed_on() -> None:
    assert passed_on(f"01-{GIVEN[3:]}-more") == GIVEN


@pytest.mark.parametrize("given", MALFORMED)
def test_a_malformed_trace_is_begun_anew(given: str | None) -> None:
    version, trace_id, span_id, flags = passed_on(given).split("-")
    assert (version, len(trace_id), len(span_id), flags) == ("00", 32, 16, "00")
    assert trace_id not in (TRACE_ID, "0" * 32)


def test_spans_are_exported_with_their_parents_and_without_words_of_others() -> None:
    with collector() as received:
        with exporting_spans("order_svc", settings(received.url)), traced(GIVEN):
            with suppress(ValueError), span("outer", SpanKind.CLIENT, {"n": 1}):
                with span("inner", SpanKind.INTERNAL, {}):
                    assert (trace.get() or "").startswith(f"00-{TRACE_ID}")
                raise ValueError("ada@example.com")
            assert trace.get() == GIVEN
        assert not recording()
    outer, inner = sorted(received.spans, key=lambda one: one.name, reverse=True)
    assert (outer.service, outer.name, outer.kind, outer.trace_id) == ("order_svc", "outer", "client", TRACE_ID)
    assert (outer.parent, inner.parent) == (SPAN_ID, outer.span_id)
    assert (outer.attributes, outer.failed, outer.why, inner.failed) == ({"n": 1}, True, "ValueError", False)


@pytest.mark.parametrize("given", MALFORMED)
def test_a_span_with_a_malformed_parent_begins_a_trace(given: str | None) -> None:
    with collector() as received:
        with exporting_spans("order_svc", settings(received.url)):
            one = begin("first", SpanKind.SERVER, given, {})
            assert one
            one.end()
        [first] = received.spans
    assert first.parent == ""
    assert first.trace_id != TRACE_ID


def test_what_its_sender_does_not_record_is_not_recorded_and_passed_on() -> None:
    unrecorded = f"{GIVEN[:-1]}0"
    with collector() as received:
        with exporting_spans("order_svc", settings(received.url)):
            assert begin("nothing", SpanKind.SERVER, unrecorded, {}) is None
            with traced(unrecorded), span("nothing", SpanKind.CLIENT, {}):
                assert trace.get() == unrecorded
        assert received.spans == []


def test_a_ratio_of_new_traces_is_recorded_and_all_whose_sender_records_them() -> None:
    with collector() as received, exporting_spans("order_svc", settings(received.url, otel_traces_sampler_arg=0)):
        new, recorded = (begin("one", SpanKind.SERVER, parent, {}) for parent in (None, GIVEN))
        assert new
        assert recorded
        assert traceparent_of(new)[-1] in "02", "what it causes is not recorded either"
        for one in (new, recorded):
            one.end()
    assert [one.trace_id for one in received.spans] == [TRACE_ID]


def test_an_endpoint_that_is_away_costs_warnings_alone(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(span_export, "FLUSH_SECONDS", 0.2)
    with exporting_spans("order_svc", settings("http://127.0.0.1:9")), span("lost", SpanKind.CLIENT, {}):
        pass
    assert not recording()
    assert {record.name.partition(".")[0] for record in caplog.records} <= {"opentelemetry", "urllib3"}


def test_production_refuses_to_send_spans_in_clear_over_a_public_network() -> None:
    secure = {"shop_env": "production", "kafka_bootstrap_servers": f"SASL_SSL://shop:{'k9#x' * 8}@kafka:9093"}
    settings("http://collector:4318", **secure)
    with pytest.raises(ValidationError, match="needs https"):
        settings("http://collector.example.com:4318", **secure)


PROGRAM = """
import sys
import chassis.http.app, chassis.runtime.worker, notifier_svc.delivery.sender, order_svc.clients.product
from chassis.runtime.settings import Settings
from chassis.runtime.tracing import exporting_spans
with exporting_spans("order_svc", Settings(kafka_bootstrap_servers="unreachable:9092")):
    print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""


def test_a_disabled_sdk_begins_traces_that_are_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    with exporting_spans("tests", settings("http://127.0.0.1:9")):
        one = begin("work", SpanKind.SERVER, None, {})
        assert one
        assert traceparent_of(one).endswith("-00")


def test_without_an_endpoint_no_sdk_is_loaded() -> None:
    result = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
