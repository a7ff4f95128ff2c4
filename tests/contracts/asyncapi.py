"""The events as an AsyncAPI 3.0 document: docs/asyncapi.json.

Source: https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

import json
from collections.abc import Mapping
from typing import Any

from schemas import CATALOGUE, TOPICS, Event, golden
from schemas.compatibility import plain
from tests.contracts.event_flow import SERVICES, consumers, publishers

CLOUDEVENTS = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_dataschema", "ce_aggregateversion")
HEADERS: dict[str, Any] = {
    "type": "object",
    "description": "CloudEvents 1.0 in binary mode: the attributes are headers of the Kafka record.",
    "required": [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_dataschema",
        "ce_aggregateversion",
    ],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid"},
        "ce_source": {"type": "string", "format": "uri-reference"},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "the same as the key"},
        "ce_dataschema": {"type": "string", "format": "uri"},
        "ce_aggregateversion": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        "ce_causationid": {"type": "string"},
        "ce_traceparent": {"type": "string"},
        "traceparent": {"type": "string", "description": "W3C Trace Context: of the sending"},
        "content-type": {"const": "application/json"},
    },
}


def document() -> str:
    """The document as text."""
    return json.dumps(_document(), indent=1, ensure_ascii=False) + "\n"


def _document() -> dict[str, Any]:
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Shopstream events", "version": "1", "description": "How the four services agree."},
        "defaultContentType": "application/json",
        "channels": {topic: _channel(topic) for topic in TOPICS},
        "operations": _operations(),
        "components": {
            "messages": {_name(event): _message(event) for event in CATALOGUE.values()},
            "schemas": {"headers": HEADERS},
        },
    }


def _channel(topic: str) -> dict[str, Any]:
    names = [_name(event) for event in CATALOGUE.values() if event.topic == topic]
    return {"address": topic, "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names}}


def _message(event: type[Event]) -> dict[str, Any]:
    example = json.loads(golden.files()[f"{_name(event)}.example.json"])
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": " ".join((event.__doc__ or "").split()),
        "headers": {"$ref": "#/components/schemas/headers"},
        # Without references, which would be resolved from the root of this document.
        "payload": plain(event.model_json_schema()),
        "bindings": {"kafka": {"key": {"type": "string", "description": f"`{event.key_field}`"}}},
        "examples": [{"headers": example["headers"], "payload": example["value"]}],
    }


def _operations() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for service in SERVICES:
        for topic in TOPICS:
            found |= _operation(service, topic, "send", publishers())
            found |= _operation(service, topic, "receive", consumers())
    return found


def _operation(
    service: str, topic: str, action: str, services_of: Mapping[type[Event], tuple[str, ...]]
) -> dict[str, dict[str, Any]]:
    names = [_name(event) for event, services in services_of.items() if event.topic == topic and service in services]
    if not names:
        return {}
    channel = f"#/channels/{topic}"
    messages = [{"$ref": f"{channel}/messages/{name}"} for name in names]
    operation = {"action": action, "channel": {"$ref": channel}, "tags": [{"name": service}], "messages": messages}
    return {f"{service}.{action}.{topic}": operation}


def _name(event: type[Event]) -> str:
    return f"{event.type}.v{event.version}"
