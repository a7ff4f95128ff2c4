"""The traces of events: in the headers that Kafka clients read, in their spans, and in what they cause."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from uuid_utils.compat import uuid7

from chassis.messaging.consumer import Consumer
from chassis.messaging.event_spans import handling_events
from chassis.messaging.records import KafkaRecord
from chassis.messaging.relay import Relay
from chassis.persistence.database import Database
from chassis.persistence.errors import ConcurrentUpdate, DatabaseUnavailable
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.background import in_background
from chassis.runtime.settings import Settings
from chassis.runtime.telemetry import traced
from chassis.runtime.tracing import exporting_spans
from chassis.testing import record
from schemas import Envelope, encode
from tests.chassis.messaging.relayed import write
from tests.chassis.tally import BEGIN, HANDLERS, Tallies, counted, make_tables
from tests.otlp import Collector, collector
from tests.outbox import envelopes
from tests.servers import Servers

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE_ID}-{SPAN_ID}-01"


@pytest.fixture
async def tables(postgres: Postgres) -> Postgres:
    await make_tables(postgres)
    return postgres


@contextmanager
def exported() -> Iterator[Collector]:
    """Spans that are recorded in here; they have arrived when it ends."""
    with collector() as received:
        settings = {"kafka_bootstrap_servers": "unreachable:9092", "otel_exporter_otlp_endpoint": received.url}
        with exporting_spans("tally_svc", Settings.model_validate(settings)):
            yield received


def event(sku: str, reason: str = "x", trace: str = GIVEN) -> KafkaRecord:
    counting = counted(sku, reason)
    return record(encode(Envelope(uuid7(), counting.source, BEGIN, 1, counting, trace=trace)))


def consumer(database: Database[Any]) -> Consumer[Tallies]:
    return Consumer(database, "tally_svc", Tallies, HANDLERS, tries=2)


async def sent_headers(database: Database[Any], servers: Servers, prefix: str) -> dict[str, str]:
    """The headers on Kafka of an event that a request with this trace has caused."""
    commit = GroupCommit(database, Tallies)
    async with (
        in_background(commit.run(), "commit"),
        in_background(Relay(database, servers.kafka, prefix).run(), "relay"),
    ):
        with traced(GIVEN):
            await write(database, commit, "A", 1)
        topic = f"{prefix}stock.events"
        async with AIOKafkaConsumer(topic, bootstrap_servers=servers.kafka, auto_offset_reset="earliest") as reader:
            message = await reader.getone()
    return {name: value.decode() for name, value in message.headers}


async def test_kafka_clients_find_the_trace_where_they_look_for_it(
    tables: Postgres, servers: Servers, prefix: str
) -> None:
    headers = await sent_headers(tables, servers, prefix)
    assert (headers["traceparent"], headers["ce_traceparent"]) == (GIVEN, GIVEN)


async def test_the_header_names_the_span_of_the_sending(tables: Postgres, servers: Servers, prefix: str) -> None:
    with exported() as received:
        headers = await sent_headers(tables, servers, prefix)
    [sent] = received.spans
    assert (sent.name, sent.kind, sent.trace_id, sent.parent) == ("send stock.events", "producer", TRACE_ID, SPAN_ID)
    assert headers["traceparent"] == f"00-{TRACE_ID}-{sent.span_id}-01"
    assert headers["ce_traceparent"] == GIVEN, "the event is as it was stored"
    assert sent.attributes["messaging.message.id"] == headers["ce_id"]
    assert sent.attributes["cloudevents.event_type"] == "stock.adjusted"


@pytest.mark.parametrize("recorded", [False, True])
async def test_what_an_event_causes_belongs_to_its_trace(database: Database[Any], recorded: bool) -> None:
    with exported() if recorded else nullcontext(Collector()) as received:
        await consumer(database).handle([event("A"), event("B")])
    found = [one.trace for one in await envelopes(database)]
    spans = sorted(received.spans, key=lambda one: int(one.attributes["messaging.kafka.offset"]))
    assert found == ([f"00-{TRACE_ID}-{one.span_id}-01" for one in spans] if recorded else [GIVEN, GIVEN])
    assert [(one.name, one.kind, one.parent) for one in spans] == [("process stock.events", "consumer", SPAN_ID)] * (
        2 if recorded else 0
    )


async def test_an_event_that_was_handled_before_has_no_second_span(tables: Postgres) -> None:
    with exported() as received:
        first = event("A")
        for batch in ([first], [first, event("A")]):
            await consumer(tables).handle(batch)
    assert len(received.spans) == 2


async def test_each_try_of_an_event_that_fails_has_a_failed_span(tables: Postgres) -> None:
    with exported() as received:
        await consumer(tables).handle([event("A"), event("B", "bug")])
    assert [one.why for one in received.spans] == ["", "RuntimeError", "RuntimeError"]


async def test_a_transaction_that_loses_a_race_is_no_failed_event(tables: Postgres) -> None:
    one = consumer(tables).read(event("A"))
    assert one
    with exported() as received:
        for error in (ConcurrentUpdate("by another"), DatabaseUnavailable("away"), ValueError("a bug")):
            with suppress(type(error)), handling_events([one], "tests"):
                raise error
    assert [one.why for one in received.spans] == ["ValueError"]


@pytest.mark.parametrize("given", ["nonsense", "00-\x00", f"00-{'0' * 32}-{SPAN_ID}-01"])
@pytest.mark.parametrize("recorded", [False, True])
async def test_an_event_with_a_malformed_trace_begins_another(tables: Postgres, given: str, recorded: bool) -> None:
    with exported() if recorded else nullcontext():
        await consumer(tables).handle([event("A", trace=given)])
    [caused] = await envelopes(tables)
    assert caused.trace
    assert caused.trace[3:35] not in ("0" * 32, given[3:35])


async def test_a_reader_takes_either_header(tables: Postgres) -> None:
    both, sent = event("A"), f"00-{TRACE_ID}-{'7' * 16}-01"
    headers = [one for one in both.headers if one[0] != "ce_traceparent"]
    for given in (
        both.headers,
        [*headers, ("traceparent", sent.encode())],
        [*both.headers, ("traceparent", sent.encode())],
    ):
        read = consumer(tables).read(KafkaRecord(both.topic, 0, 1, both.key, given, both.value))
        assert read
        assert read.trace == (GIVEN if given is both.headers else sent)
