"""Encoding and decoding events, and messages that are not events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from schemas import (
    CATALOGUE,
    CustomerRegistered,
    Envelope,
    Event,
    Message,
    OrderCancelled,
    OrderPlaced,
    Undecodable,
    decode,
    encode,
    golden,
)

AT = datetime(2026, 5, 6, 7, 8, 9, 123456, UTC)
REGISTERED = CustomerRegistered(customer_id=uuid7(), email="ada@example.com", name="Ada")
ENVELOPE: Envelope[Event] = Envelope(uuid7(), "/shopstream/customer_svc", AT, 1, REGISTERED)
MESSAGE = encode(ENVELOPE)


def read(message: Message, **changes: str | bytes | None) -> Envelope[Event] | None:
    """Decode a message with headers replaced, or left out where the change is None."""
    headers = {name: value.encode() for name, value in message.headers.items()}
    for name, value in changes.items():
        headers.pop(name, None)
        if value is not None:
            headers[name] = value.encode() if isinstance(value, str) else value
    return decode(headers.items(), message.value)


def decode_error(headers: Mapping[str, str | bytes | None] | None = None, value: bytes | None = MESSAGE.value) -> str:
    with pytest.raises(Undecodable) as refused:
        read(replace(MESSAGE, value=value), **(headers or {}))  # type: ignore[arg-type]
    return refused.value.reason


@pytest.mark.parametrize("cls", CATALOGUE.values(), ids=lambda cls: f"{cls.type}.v{cls.version}")
def test_a_decoded_event_equals_the_encoded_one(cls: type[Event]) -> None:
    envelope = Envelope(uuid7(), "/shopstream/test", AT, 7, golden.example(cls), "cause-1", "00-ab-cd-01")
    assert read(encode(envelope)) == envelope


@given(
    name=st.text(st.characters(exclude_categories=["Cs"])),
    version=st.integers(1, 2**40),
    at=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])),
)
@settings(deadline=None)
def test_any_content_survives_encoding(name: str, version: int, at: datetime) -> None:
    registered = REGISTERED.model_copy(update={"name": name})
    envelope: Envelope[Event] = replace(ENVELOPE, event=registered, aggregate_version=version, time=at)
    assert read(encode(envelope)) == envelope


def test_the_key_is_the_aggregate_and_the_subject() -> None:
    assert MESSAGE.topic == "customer.events"
    assert MESSAGE.key == MESSAGE.headers["ce_subject"] == str(REGISTERED.customer_id)
    assert MESSAGE.id == ENVELOPE.id


def test_a_missing_cause_or_trace_has_no_header() -> None:
    assert not {"ce_causationid", "ce_traceparent"} & MESSAGE.headers.keys()


def test_unknown_fields_are_ignored() -> None:
    placed = golden.example(OrderPlaced)
    message = encode(replace(ENVELOPE, event=placed))
    document = json.loads(message.value)
    document["discount"] = {"percent": 10}
    document["total"]["formatted"] = "€12.50"
    document["lines"][0]["gift"] = True
    document["shipping_address"]["district"] = "Westminster"
    envelope = read(replace(message, value=json.dumps(document).encode()), ce_newer="x")
    assert envelope is not None
    assert envelope.event == placed


def test_the_payload_of_an_unwanted_event_is_not_read() -> None:
    headers = [(name, value.encode()) for name, value in MESSAGE.headers.items()]
    assert decode(headers, b"not even JSON", wanted=[OrderCancelled]) is None


def test_an_unknown_event_is_refused_even_if_it_is_not_wanted() -> None:
    headers = [(name, value.encode()) for name, value in MESSAGE.headers.items() if name != "ce_dataschema"]
    with pytest.raises(Undecodable, match="unknown_type"):
        decode([*headers, ("ce_dataschema", b"urn:shopstream:schema:order.eaten:1")], b"", wanted=[OrderCancelled])


@pytest.mark.parametrize(
    "name", ["ce_specversion", "ce_id", "ce_source", "ce_time", "ce_dataschema", "ce_aggregateversion"]
)
def test_a_missing_attribute_is_bad_headers(name: str) -> None:
    assert decode_error({name: None}) == "bad_headers"


@pytest.mark.parametrize(
    "wrong",
    [
        {"ce_specversion": "0.3"},
        {"ce_id": "no-uuid"},
        {"ce_id": b"\xff"},
        {"ce_time": "yesterday"},
        {"ce_time": "2026-05-06T07:08:09"},
        {"ce_aggregateversion": "first"},
        {"ce_aggregateversion": "0"},
        {"ce_aggregateversion": "-1"},
        {"ce_aggregateversion": "9" * 5000},
        {"anything": b"\xc3"},
    ],
    ids=str,
)
def test_a_wrong_attribute_is_bad_headers(wrong: dict[str, str | bytes]) -> None:
    assert decode_error({**wrong}) == "bad_headers"


def test_no_headers_at_all_are_bad_headers() -> None:
    with pytest.raises(Undecodable) as refused:
        decode([], b"{}")
    assert refused.value.reason == "bad_headers"


def test_a_header_without_value_is_bad_headers() -> None:
    with pytest.raises(Undecodable) as refused:
        decode([("ce_id", None)], b"{}")  # type: ignore[list-item]
    assert refused.value.reason == "bad_headers"


@pytest.mark.parametrize(
    "schema",
    [
        "urn:shopstream:schema:customer.eaten:1",
        "urn:shopstream:schema:customer.registered:2",
        "urn:shopstream:schema:customer.registered:01",
        "urn:shopstream:schema:customer.registered:0",
        "urn:shopstream:schema:customer.registered",
        "urn:shopstream:schema:customer.registered:1\n",
        "https://example.com/schema",
        "",
    ],
)
def test_a_schema_that_is_not_in_the_catalogue_is_an_unknown_type(schema: str) -> None:
    assert decode_error({"ce_dataschema": schema}) == "unknown_type"


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\x00\xff",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"customer_id": 1, "email": "a", "name": "b"}',
        b'{"customer_id": "1", "email": "a", "name": "b"}',
        b'{"customer_id": "019b7c61-0000-7000-8000-000000000001", "email": "a", "name": null}',
        b'{"customer_id": "019b7c61-0000-7000-8000-000000000001", "email": "a", "name": "\\ud800"}',
        b'{"customer_id": "019b7c61-0000-7000-8000-000000000001", "email": "a", "name": "\xff"}',
        b"[" * 100_000,
    ],
    ids=lambda value: repr(value)[:50],
)
def test_a_value_that_is_not_valid_by_its_schema_is_a_bad_payload(value: bytes | None) -> None:
    assert decode_error(value=value) == "bad_payload"


@pytest.mark.parametrize("quantity", ["false", '"2"', "2.0", "1e400", "0", "-1", "null"])
def test_a_number_must_have_its_type_and_be_within_its_bounds(quantity: str) -> None:
    message = encode(replace(ENVELOPE, event=golden.example(OrderPlaced)))
    value = message.value.replace(b'"quantity":2', b'"quantity":' + quantity.encode())
    assert value != message.value
    with pytest.raises(Undecodable, match=r"bad_payload: lines.0.quantity"):
        read(replace(message, value=value))


def test_the_error_of_a_bad_payload_names_fields_but_not_values() -> None:
    with pytest.raises(Undecodable) as refused:
        read(replace(MESSAGE, value=b'{"customer_id": "Ada Lovelace", "email": 5}'))
    assert refused.value.detail == "customer_id uuid_parsing; email string_type; name missing"


@dataclass
class At:
    topic: str = MESSAGE.topic
    key: bytes | None = MESSAGE.key.encode()


def test_a_message_is_decoded_where_it_belongs() -> None:
    headers = {name: value.encode() for name, value in MESSAGE.headers.items()}
    assert decode(headers.items(), MESSAGE.value, at=At()) == ENVELOPE


@pytest.mark.parametrize(
    ("at", "changes", "reason"),
    [
        (At(topic="stock.events"), {}, "misplaced"),
        (At(key=b"another"), {}, "misplaced"),
        (At(key=None), {}, "misplaced"),
        (At(), {"ce_source": "/shopstream/order_svc"}, "misplaced"),
        (At(), {"ce_subject": "another"}, "misplaced"),
        (At(), {"ce_subject": None}, "misplaced"),
        (At(key=b"another"), {"ce_subject": "another"}, "bad_payload"),
    ],
)
def test_a_message_that_is_not_where_it_belongs_is_refused(at: At, changes: dict[str, Any], reason: str) -> None:
    headers = {name: value for name, value in {**MESSAGE.headers, **changes}.items() if value is not None}
    with pytest.raises(Undecodable) as refused:
        decode([(name, value.encode()) for name, value in headers.items()], MESSAGE.value, at=at)
    assert refused.value.reason == reason


def test_every_type_names_the_service_that_publishes_it() -> None:
    sources = {cls.source for cls in CATALOGUE.values()}
    assert sources == {f"/shopstream/{name}_svc" for name in ("customer", "product", "order", "notifier")}
