"""API8:2023, security misconfiguration: what a service says about itself, and what it starts with.

Tried, in each of the four services: ten methods that no route has, on two of five paths; a dozen broken requests, of
which no answer may quote code, a library, a database or a path of the machine; a bug in every route that reads an
access token; requests of other origins, with preflights (no answer may open the API to them); odd ``Host`` headers.
And what ``SHOP_ENV=production`` does with the settings of ``compose.yaml`` and the example file beside it: each
program refuses to start, and names every secret that is in the example.
"""

import os
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest
from pydantic import ValidationError

from chassis.testing import bearer
from deploy.signing_key import make_signing_key
from tests.bad_inputs import NOT_AN_OBJECT
from tests.compose.deployment import make_secrets, module_of, read_deployment
from tests.compose.programs import settings_of
from tests.contracts.guards import GUARDS
from tests.contracts.rest_apis import RestApis
from tests.contracts.shop import Shop
from tests.responses import assert_problem, problem

METHODS = ("TRACE", "CONNECT", "OPTIONS", "PROPFIND", "MKCOL", "LOCK", "PURGE", "TRACK", "DEBUG", "PATCHY")
BROKEN = (
    "cut off",
    "an array",
    "NaN",
    "a huge number inside",
    "invalid UTF-8",
    "UTF-16",
    "deep arrays",
    "a NUL byte",
)
ODD_PATHS = ("/v1/ops/letters/1", "/v1/ops/letters?limit=x", "/v1/ops/audit?x=%00", "/%ff", "/../../etc/passwd")
PATHS = ("/v1/ops/summary", "/health/live", "/docs", "/", "/v1/nothing")
INSIDES = re.compile(
    r"Traceback|File \"|line \d+|\.py\b|psycopg|pymongo|sqlalchemy|asyncpg|pydantic|starlette|uvicorn|fastapi"
    r"|SELECT |INSERT |/usr/|/home/|site-packages|0x[0-9a-f]{6}|postgres(ql)?://|mongodb://",
    re.IGNORECASE,
)
"""What an answer says if it says too much."""
BUG = "a bug, with s3cret in its message"
CORS = ("access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-methods")


@pytest.fixture(scope="module")
async def raw() -> AsyncIterator[httpx.AsyncClient]:
    """A client that sends what it is given."""
    async with httpx.AsyncClient() as client:
        yield client


@pytest.mark.parametrize("service", GUARDS)
async def test_methods_that_no_route_has_are_refused_and_echo_nothing(rest: Shop, service: str) -> None:
    for number, method in enumerate(METHODS):
        for path in (PATHS[number % len(PATHS)], PATHS[0]):
            response = await rest.request(service, method, path, {}, headers={"X-Secret": "echo me"})
            # A server that does not know a method refuses the request before the app sees it.
            assert response.status_code in (400, 404, 405), f"{method} {path}: {response.status_code}"
            assert "echo me" not in response.text
            assert not INSIDES.search(response.text)


@pytest.mark.parametrize("service", GUARDS)
async def test_no_answer_to_a_broken_request_shows_the_inside(
    raw: httpx.AsyncClient, apis: RestApis, service: str
) -> None:
    routes = {"customer": "/v1/sessions", "product": "/v1/products", "order": "/v1/orders"}
    path, headers = routes.get(service, "/v1/ops/lookup"), bearer(role="ops") | {"Content-Type": "application/json"}
    for name in BROKEN:
        response = await raw.post(apis.urls[service] + path, content=NOT_AN_OBJECT[name], headers=headers)
        assert 400 <= response.status_code < 500, name
        assert not INSIDES.search(response.text), response.text
    for path in ODD_PATHS:
        response = await raw.get(apis.urls[service] + path, headers=headers)
        assert 400 <= response.status_code < 500, path
        assert not INSIDES.search(response.text), response.text


@pytest.mark.parametrize("service", GUARDS)
async def test_a_bug_is_answered_without_a_word_about_it(
    rest: Shop, apis: RestApis, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_token: str) -> None:
        raise RuntimeError(BUG)

    monkeypatch.setattr(apis.apps[service].state.container.verifier, "principal", broken)
    response = await rest.request(service, "GET", "/v1/ops/summary", bearer(role="ops"))
    assert_problem(response, 500, "internal_error")
    assert (response.headers["x-content-type-options"], response.headers["cache-control"]) == ("nosniff", "no-store")
    assert "s3cret" not in response.text
    assert not INSIDES.search(response.text)
    assert not apis.apps[service].debug


@pytest.mark.parametrize("service", GUARDS)
async def test_other_origins_are_not_let_in(rest: Shop, service: str) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:3000"):
        preflight = {"Origin": origin, "Access-Control-Request-Method": "GET"}
        for method, path in (("GET", "/health/live"), ("GET", "/v1/ops/summary"), ("OPTIONS", "/v1/ops/summary")):
            response = await rest.request(service, method, path, {}, headers=preflight)
            assert not set(CORS) & set(response.headers)
        # A page elsewhere can send a form without a preflight: it is no JSON, so it does nothing.
    form = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    for route in (route for route, guard in GUARDS[service].items() if route.startswith("POST") and guard.body):
        path = re.sub(r"{\w+}", "019b7c61-0000-7000-8000-00009395c3f3", route.split(" ")[1])
        response = await rest.request(service, "POST", path, bearer(role="ops"), json={}, headers=form)
        assert response.status_code in (400, 403, 404, 415, 422), route


@pytest.mark.parametrize("service", GUARDS)
async def test_a_host_header_leads_nowhere(rest: Shop, service: str) -> None:
    for host in ("evil.example", "evil.example:80", "127.0.0.1@evil.example"):
        for path in ("/docs", "/v1/products/", "/health/live/"):
            response = await rest.request(service, "GET", path, {}, headers={"Host": host})
            assert response.status_code not in range(300, 400)
            assert "evil.example" not in response.text + str(response.headers)


@pytest.mark.parametrize("service", GUARDS)
async def test_an_error_names_no_version_of_a_server(rest: Shop, service: str) -> None:
    response = await rest.request(service, "GET", "/v1/nothing", {})
    problem(response)
    assert not re.search(r"\d+\.\d+", response.headers.get("server", ""))
    assert not {"x-powered-by", "x-aspnet-version", "via"} & set(response.headers)


OWNERS = ("CUSTOMER", "PRODUCT", "ORDER", "NOTIFIER")
SECRETS: Mapping[str, str] = {
    "kafka_bootstrap_servers": "KAFKA_BOOTSTRAP_SERVERS",
    "postgres_url": "POSTGRES_URL",
    "mongo_url": "MONGO_URL",
    "link_key": "LINK_KEY",
}
"""The settings that hold a secret: field → environment variable."""


@pytest.mark.parametrize("are_of_an_example", [True, False])
def test_production_starts_with_the_secrets_of_an_installation_and_not_with_those_of_the_example(
    tmp_path: Path, are_of_an_example: bool
) -> None:
    key = tmp_path / "jwt.pem"
    make_signing_key(key)
    deployment, refused = read_deployment(key), dict[str, set[str]]()
    if are_of_an_example:
        # As .env had them in earlier versions.
        names = ("LINK_KEY", *(f"{owner}_{kind}" for owner in OWNERS for kind in ("DB_PASSWORD", "KAFKA_PASSWORD")))
        (tmp_path / ".env").write_text("".join(f"{name}=development-only-{name}\n" for name in names))
        deployment.secrets = make_secrets(tmp_path)
    for name, service in deployment.processes.items():
        given = service["environment"] | {"SHOP_ENV": "production", "SHOP_URL": "https://shop.example"}
        given |= {"JWT_PRIVATE_KEY_FILE": str(key)} if "JWT_PRIVATE_KEY_FILE" in given else {}
        settings = settings_of(module_of(service))
        assert settings
        refused[name] = set()
        with patch.dict(os.environ, given, clear=True):
            try:
                settings()
            except ValidationError as error:
                refused[name] = {str(one["loc"][0]) for one in error.errors()}
        expected = {field for field, setting in SECRETS.items() if setting in given} if are_of_an_example else set()
        assert refused[name] == expected, name
    assert len(refused) == 8
