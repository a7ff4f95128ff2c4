"""The envelope and the reference library read each other's messages."""

from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from uuid_utils.compat import uuid7

from schemas import CATALOGUE, Envelope, Event, Message, decode, encode, golden

AT = datetime(2026, 5, 6, 7, 8, 9, 123456, UTC)
EVENTS = pytest.mark.parametrize("cls", CATALOGUE.values(), ids=lambda cls: f"{cls.type}.v{cls.version}")


def envelope_of(cls: type[Event]) -> Envelope[Event]:
    return Envelope(uuid7(), "/shopstream/test", AT, 3, golden.example(cls), "cause-1", "00-" + "a" * 32 + "-b-01")


def library_message(message: Message) -> KafkaMessage:
    headers = {name: value.encode() for name, value in message.headers.items()}
    return KafkaMessage(headers, message.key, message.value)


@EVENTS
def test_the_library_reads_our_messages(cls: type[Event]) -> None:
    envelope = envelope_of(cls)
    read = from_binary(library_message(encode(envelope)), JSONFormat(), CloudEvent)
    assert read.get_data() == envelope.event.model_dump(mode="json")
    assert read.get_attributes() == {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": "/shopstream/test",
        "type": cls.type,
        "time": AT,
        "subject": envelope.event.key,
        "datacontenttype": "application/json",
        "dataschema": f"urn:shopstream:schema:{cls.type}:{cls.version}",
        "aggregateversion": "3",
        "causationid": "cause-1",
        "traceparent": envelope.trace,
        "partitionkey": envelope.event.key,
    }


@EVENTS
def test_we_read_messages_of_the_library(cls: type[Event]) -> None:
    envelope = envelope_of(cls)
    attributes = {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": envelope.source,
        "type": cls.type,
        "time": AT,
        "subject": envelope.event.key,
        "datacontenttype": "application/json",
        "dataschema": f"urn:shopstream:schema:{cls.type}:{cls.version}",
        "aggregateversion": "3",
        "causationid": "cause-1",
        "traceparent": envelope.trace,
        "partitionkey": envelope.event.key,
    }
    written = to_binary(CloudEvent(attributes, envelope.event.model_dump(mode="json")), JSONFormat())
    assert written.key == encode(envelope).key
    assert decode(written.headers.items(), written.value) == envelope


@EVENTS
def test_a_round_trip_through_the_library_changes_nothing(cls: type[Event]) -> None:
    envelope = envelope_of(cls)
    again = to_binary(from_binary(library_message(encode(envelope)), JSONFormat(), CloudEvent), JSONFormat())
    assert decode(again.headers.items(), again.value) == envelope
