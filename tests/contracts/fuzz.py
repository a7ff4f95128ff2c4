"""Schemathesis against a REST front: everything that its OpenAPI document calls right or wrong, asked for."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from tests.answers import headers_amiss
from tests.contracts.fronts import Fronts
from tests.contracts.shop import Belongings

EXAMPLES = 2
"""Requests made up at random for each route, beside those that go through its schema systematically."""

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
    # JSON Schema cannot say that a price needs its currency, or what a cursor is.
    "positive_data_acceptance": OFF,
    # PATCH /v1/products/facets is a change of a product whose id is no id: 422, and not 405.
    "unsupported_method": OFF,
    # Who may do what is walked by test_guards, for every route and everybody.
    "ignored_auth": OFF,
    "missing_required_header": OFF,
    "use_after_free": OFF,
    "ensure_resource_availability": OFF,
}
"""What every answer is held to."""


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
            "seed": 1,
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
