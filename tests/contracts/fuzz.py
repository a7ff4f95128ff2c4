"""Schemathesis against a REST front: everything that its OpenAPI document calls right or wrong, asked for.

``FUZZ_EXAMPLES=100 FUZZ_SEED=2 make test ARGS="-n0 -o timeout=0 tests/contracts/test_fuzz.py"`` looks further, and
elsewhere with each seed.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from tests.answers import headers_amiss
from tests.contracts.fronts import Fronts
from tests.contracts.shop import Belongings

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "2"))
"""Requests made up at random for each route, beside those that go through its schema systematically."""
SEED = int(os.environ.get("FUZZ_SEED", "1"))

ON, OFF = {"enabled": True}, {"enabled": False}
CHECKS: Mapping[str, Any] = {
    # "Try again shortly" is an answer, if the document has it, and comes of a slow machine.
    "not_a_server_error": ON | {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
    "status_code_conformance": ON,
    "content_type_conformance": ON,
    "response_schema_conformance": ON,
    "response_headers_conformance": ON,
    "described_headers": ON,
    "negative_data_rejection": ON,
    "allow_header_conformance": ON,
    "unsupported_method": ON,
    "ignored_auth": ON,
    "missing_required_header": ON,
    # In its place, which knows why something was refused.
    "positive_data_acceptance": OFF,
    "right_is_accepted": ON,
    # These look at sequences of requests, which are not made here.
    "use_after_free": OFF,
    "ensure_resource_availability": OFF,
}
"""What every answer is held to."""
MALFORMED = (400, 405, 406, 415, 422)
RULES = {"value_error"}
"""Errors of rules of our own: a price needs its currency, a cursor is one that we gave, an e-mail domain exists."""
CODES = {"malformed_request", "idempotency_key_reused"}


@schemathesis.serializer("application/x-ndjson")
def _as_it_is(_context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.check
def described_headers(_context: Any, response: Any, case: Any) -> None:
    """Schemathesis looks at the headers that are described; this, whether those that are sent are."""
    document = case.operation.schema.raw_schema
    path, method = case.operation.path, case.operation.method.lower()
    promised = document["paths"][path][method]["responses"].get(str(response.status_code))
    if promised:
        amiss = headers_amiss(document, promised, response.headers)
        assert not amiss, f"headers not as described: {amiss}"


@schemathesis.check
def right_is_accepted(_context: Any, response: Any, case: Any) -> None:
    """What fits the document is refused as malformed only by a rule that JSON Schema has no words for."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in MALFORMED:
        return
    body = response.json()
    wrong = [(error["where"].rpartition("/")[0], error["type"]) for error in body.get("errors", [])]
    # Of a value that can be of several types, all say what they have against it: one of them the rule.
    by_rule = {place for place, kind in wrong if kind in RULES}
    unsaid = [place for place, _ in wrong if place not in by_rule]
    assert not unsaid, f"right, and refused: {body}"
    assert body["code"] in CODES, f"right, and refused: {body}"


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """Whole numbers are sent as such: to JSON Schema 2.0 is one too, and the services take no near misses.

    Beyond 2**53 they are left alone: as a float, such a number is all that a float can be.
    """
    if isinstance(body, dict):
        return {name: map_body(_context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(_context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() and abs(body) < 2**53 else body


def findings(
    fronts: Fronts, service: str, routes: Collection[str], headers: Mapping[str, str], shop: Belongings
) -> list[str]:
    """Ask for these routes (``GET /v1/orders``) as whoever the headers say; return what is wrong with the answers."""
    asked = [([route], {**shop.ids, "order_id": order}) for route, order in shop.stages.items() if route in routes]
    asked.append(([route for route in routes if route not in shop.stages], dict(shop.ids)))
    return [wrong for some, ids in asked if some for wrong in _asked(fronts, service, some, headers, ids)]


def _asked(
    fronts: Fronts, service: str, routes: Collection[str], headers: Mapping[str, str], ids: Mapping[str, str]
) -> list[str]:
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "base-url": fronts.urls[service],
            "headers": dict(headers),
            # What is there, so that a request comes further than to a 404 or a 412.
            "parameters": {**{f"path.{name}": value for name, value in ids.items()}, "header.If-Match": "*"},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "with-security-parameters": False},
            "phases": {"stateful": OFF},
            "checks": dict(CHECKS),
            "continue-on-failure": True,
        }
    )
    schema = schemathesis.openapi.from_dict(fronts.apps[service].openapi(), config=config)
    chosen = schema.include(func=lambda context: context.operation.label in routes)
    return sorted({finding for event in from_schema(chosen).execute() for finding in _findings(event)})


def _findings(event: Any) -> Iterator[str]:
    if isinstance(event, events.NonFatalError | events.FatalError):
        yield str(event)
    if isinstance(event, events.ScenarioFinished) and event.status is not Status.SUCCESS:
        for checks in event.recorder.checks.values():
            for check in checks:
                if wrong := check.failure_info:
                    yield f"{event.label} {check.name}\n{wrong.failure}\n{wrong.code_sample}"
