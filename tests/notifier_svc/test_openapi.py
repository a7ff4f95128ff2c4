"""The OpenAPI document of notifier_svc: the errors of each route."""

from typing import Any

import pytest
from fastapi import FastAPI

from tests.notifier_svc.apps import rest_app


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app: FastAPI = rest_app("postgresql://nobody@nowhere/nothing")
    return app.openapi()


def test_every_route_documents_its_errors(document: dict[str, Any]) -> None:
    statuses = {
        f"{method} {path}": {status for status in route["responses"] if status >= "400"}
        for path, methods in document["paths"].items()
        if path.startswith("/v1") and not path.startswith("/v1/ops")
        for method, route in methods.items()
    }
    common = {"401", "408", "413", "415", "422", "431", "503"}
    assert statuses == {
        "get /v1/notifications": common,
        "get /v1/exports/notifications": common | {"403"},
        "get /v1/notifications/{notification_id}": common | {"404"},
        "post /v1/notifications/{notification_id}/resend": common | {"403", "404", "409"},
        "get /v1/suppressions": common | {"403"},
        "get /v1/suppressions/{suppression_id}": common | {"403", "404"},
        "delete /v1/suppressions/{suppression_id}": common | {"403", "404", "412", "428"},
    }
