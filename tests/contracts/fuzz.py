"""Schemathesis tests a REST API with valid and invalid requests, derived from its OpenAPI document.

``FUZZ_EXAMPLES=100 FUZZ_SEED=2 make test ARGS="-n0 -o timeout=0 tests/contracts/test_fuzz.py"`` searches longer, and
differently with each seed.
"""

import os
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from tests.contracts.rest_apis import RestApis
from tests.contracts.shop import Belongings
from tests.responses import header_differences

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "1"))
"""Random requests per route, in addition to those that cover its schema systematically."""
SEED = int(os.environ.get("FUZZ_SEED", "1"))

ON, OFF = {"enabled": True}, {"enabled": False}
CHECKS: Mapping[str, Any] = {
    # A documented 503 is a valid response, and can happen on a slow machine.
    "not_a_server_error": ON | {"expected-statuses": ["2xx", "3xx", "4xx", "503"]},
    "status_code_conformance": ON,
    "content_type_conformance": ON,
    "response_schema_conformance": ON,
    "response_headers_conformance": ON,
    "described_headers": ON,
    "negative_data_rejection": ON,
    "allow_header_conformance": ON,
    "unsupported_method": ON,
    "missing_required_header": ON,
    # test_guards requests every route without a token and with bad ones. This would do it for every response.
    "ignored_auth": OFF,
    # Replaced by this one, which knows why a request was refused.
    "positive_data_acceptance": OFF,
    "valid_is_accepted": ON,
    # These need sequences of requests, which are not made here.
    "use_after_free": OFF,
    "ensure_resource_availability": OFF,
}
"""The checks of every response."""
MALFORMED = (400, 405, 406, 415, 422)
RULES = {"value_error", "blank", "needed_in_country", "unknown_time_zone"}
"""Errors of our own rules: a price needs a currency, a name can be seen, an address has what its country needs."""
# The type of an import is chosen when it begins.
CODES = {"malformed_request", "unsupported_media_type"}
CODES |= {"idempotency_key_reused", "letter_undecodable", "nothing_selected"}


@schemathesis.serializer("application/x-ndjson")
def _as_it_is(_context: Any, value: Any) -> Any:
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.check
def described_headers(_context: Any, response: Any, case: Any) -> None:
    """Schemathesis checks the documented headers; this checks that all sent headers are documented."""
    document = case.operation.schema.raw_schema
    path, method = case.operation.path, case.operation.method.lower()
    documented = document["paths"][path][method]["responses"].get(str(response.status_code))
    if documented:
        amiss = header_differences(document, documented, response.headers)
        assert not amiss, f"headers not as described: {amiss}"


@schemathesis.check
def valid_is_accepted(_context: Any, response: Any, case: Any) -> None:
    """A valid request is only refused as malformed by a rule that JSON Schema cannot express."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in MALFORMED:
        return
    body = response.json()
    wrong = [(error["where"].rpartition("/")[0], error["type"]) for error in body.get("errors", [])]
    # If a value can have several types, each of them reports an error: one of them is our rule.
    by_rule = {place for place, kind in wrong if kind in RULES}
    unexpected = [place for place, _ in wrong if place not in by_rule]
    assert not unexpected, f"valid, but refused: {body}"
    assert body["code"] in CODES, f"valid, but refused: {body}"


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """Send whole numbers as integers: to JSON Schema 2.0 is an integer too, but the services are strict.

    Numbers beyond 2**53 stay as they are: a float cannot represent them exactly.
    """
    if isinstance(body, dict):
        return {name: map_body(_context, value) for name, value in body.items()}
    if isinstance(body, list):
        return [map_body(_context, value) for value in body]
    return int(body) if isinstance(body, float) and body.is_integer() and abs(body) < 2**53 else body


def findings(
    apis: RestApis, service: str, routes: Collection[str], headers: Mapping[str, str], shop: Belongings
) -> list[str]:
    """Test these routes (``GET /v1/orders``) with these headers; return what is wrong with the responses."""
    runs = [([route], {**shop.ids, "order_id": order}) for route, order in shop.stages.items() if route in routes]
    runs.append(([route for route in routes if route not in shop.stages], dict(shop.ids)))
    return [wrong for some, ids in runs if some for wrong in _run(apis, service, some, headers, ids)]


def _run(
    apis: RestApis, service: str, routes: Collection[str], headers: Mapping[str, str], ids: Mapping[str, str]
) -> list[str]:
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "base-url": apis.urls[service],
            "headers": dict(headers),
            # Existing ids, so that a request gets further than a 404 or a 412.
            "parameters": {**{f"path.{name}": value for name, value in ids.items()}, "header.If-Match": "*"},
            "generation": {"max-examples": EXAMPLES, "deterministic": True, "with-security-parameters": False},
            "phases": {"stateful": OFF},
            "checks": dict(CHECKS),
            "continue-on-failure": True,
        }
    )
    schema = schemathesis.openapi.from_dict(apis.apps[service].openapi(), config=config)
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
