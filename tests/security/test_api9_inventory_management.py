"""API9:2023, improper inventory management: routes that nobody knows of, and versions that nobody looks after.

Read from the running apps: every route of each is in its OpenAPI document and the other way round, but for the pages
named below; every documented path has a version, or is one of the few that have none for a reason. Tried: some sixty
paths under which frameworks, tools and forgotten versions are found, in all four services and in an event process.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Match, Mount, Route, WebSocketRoute

from chassis.http.api_page import FILES
from chassis.runtime.health import health_endpoints
from tests.contracts.apps import described, unstarted
from tests.contracts.guards import GUARDS, PAGES
from tests.contracts.shop import Shop
from tests.responses import assert_problem

ROOT = Path(__file__).parents[2]
WITHOUT_A_VERSION = re.compile(r"/health/(live|ready)|/\.well-known/(jwks|revoked-tokens)\.json")
"""What every version of the API shares: for supervisors, and for verifiers of tokens."""
FOR_PROGRAMS = frozenset({"/docs", "/metrics", "/openapi.json", *(f"/docs/{name}" for name in FILES)})
"""What is no part of the API: its documentation, and metrics."""
ONE_CLICK = {("POST", "/unsubscribe")}
"""What mail programs post to (RFC 8058): clients use ``/v1/unsubscriptions``."""
FORGOTTEN = (
    *("/v0", "/v2", "/v1", "/api", "/api/v1/orders", "/v1beta/orders", "/v2/orders", "/v2/customers", "/old/orders"),
    *("/beta", "/internal", "/internal/orders", "/private", "/admin", "/admin/", "/v1/admin", "/v1/debug", "/debug"),
    *("/debug/pprof", "/_debug", "/__debug__", "/test", "/v1/test", "/v1/internal", "/console", "/shell", "/eval"),
    *(
        "/actuator",
        "/actuator/env",
        "/actuator/heapdump",
        "/env",
        "/config",
        "/settings",
        "/status",
        "/server-status",
    ),
    *("/info", "/version", "/trace", "/dump", "/heap", "/threads", "/graphql", "/graphiql", "/playground"),
    *("/swagger", "/swagger-ui.html", "/swagger.json", "/redoc", "/api-docs", "/v1/openapi.json", "/openapi.yaml"),
    *("/.env", "/.git/config", "/.git/HEAD", "/.aws/credentials", "/backup.sql", "/db.sql", "/wp-login.php"),
    *(
        "/phpinfo.php",
        "/robots.txt~",
        "/static/",
        "/assets/../settings.py",
        "/files",
        "/upload",
        "/ws",
        "/socket.io/",
    ),
    *("/health", "/health/", "/health/env", "/v1/health", "/metrics/json", "/favicon.ico", "/jolokia", "/hawtio"),
)


@pytest.mark.parametrize("service", GUARDS)
def test_every_route_is_in_the_document_and_the_other_way_round(service: str) -> None:
    app, paths = unstarted()[service], described()[service]["paths"]
    assert [route for route in app.routes if isinstance(route, Mount | WebSocketRoute)] == []
    there = {(method, route.path) for route in _routes(app) for method in route.methods or ()}
    documented = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    hidden = {("GET", path) for path in FOR_PROGRAMS | PAGES.get(service, frozenset())} | ONE_CLICK
    assert {(method, path) for method, path in there - documented if method != "HEAD"} <= hidden
    assert documented - there == set()


@pytest.mark.parametrize("service", GUARDS)
def test_every_path_has_a_version_or_a_reason(service: str) -> None:
    document = described()[service]
    assert [
        path for path in document["paths"] if not path.startswith("/v1/") and not WITHOUT_A_VERSION.match(path)
    ] == []
    assert document["info"]["version"] == "1"
    assert not [one for operation in _operations(document) if (one := operation.get("deprecated"))]


@pytest.mark.parametrize("service", GUARDS)
def test_no_route_is_where_others_have_forgotten_something(service: str) -> None:
    routes = list(_routes(unstarted()[service]))
    for path in FORGOTTEN:
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        assert [route.path for route in routes if route.matches(scope)[0] is not Match.NONE] == [], path


@pytest.mark.parametrize("service", GUARDS)
async def test_nothing_answers_there(rest: Shop, service: str) -> None:
    for path in FORGOTTEN[::12]:
        assert_problem(await rest.request(service, "GET", path, {}), 404, "not_found")


def test_an_event_process_has_health_and_metrics_and_nothing_else() -> None:
    assert set(health_endpoints("any", {})) <= {"/health/live", "/health/ready", "/metrics"}


def test_the_documentation_links_the_document_of_every_service() -> None:
    clients = (ROOT / "docs" / "how-to" / "rest-clients.md").read_text()
    assert "/openapi.json" in clients
    assert "/docs" in clients


def _routes(app: Any) -> Iterator[Route]:
    yield from (route for route in app.routes if isinstance(route, Route))


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()
