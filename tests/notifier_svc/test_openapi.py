"""The description of the REST API: every field says what it looks like, every route how it can fail."""

from typing import Any

import pytest
from fastapi import FastAPI

from tests.customer_svc.test_openapi import EVERYWHERE, shown
from tests.notifier_svc.conftest import front


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    app: FastAPI = front("postgresql://nobody@nowhere/nothing")
    return app.openapi()


def test_every_field_has_an_example(described: dict[str, Any]) -> None:
    schemas = {name: one for name, one in described["components"]["schemas"].items() if name not in EVERYWHERE}
    assert {"LetterOut", "NotificationOut", "Resending", "SuppressionOut"} <= schemas.keys()
    bare = [f"{n}.{f}" for n, one in schemas.items() for f, field in one["properties"].items() if not shown(field)]
    assert bare == []


def test_every_route_says_how_it_can_fail(described: dict[str, Any]) -> None:
    statuses = {
        f"{method} {path}": {status for status in route["responses"] if status >= "400"}
        for path, methods in described["paths"].items()
        if path.startswith("/v1") and not path.startswith("/v1/ops")
        for method, route in methods.items()
    }
    common = {"401", "413", "422", "503"}
    assert statuses == {
        "get /v1/notifications": common,
        "get /v1/notifications/{notification_id}": common | {"404"},
        "post /v1/notifications/{notification_id}/resend": common | {"403", "404", "409"},
        "get /v1/suppressions": common | {"403"},
        "get /v1/suppressions/{suppression_id}": common | {"403", "404"},
        "delete /v1/suppressions/{suppression_id}": common | {"403", "404", "412", "428"},
    }
