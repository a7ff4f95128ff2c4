"""The REST API of customer_svc refuses malformed and malicious input."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from customer_svc.accounts.store import accounts
from tests import bad_inputs
from tests.customer_svc.factories import ADDRESS, API, PASSWORD, registration_body
from tests.responses import accepted_bodies, accepted_tokens, assert_problem, malformed_fields

CUSTOMERS, SESSIONS, ME = "/v1/customers", "/v1/sessions", "/v1/customers/me"
VERIFICATIONS, RESETS, REFRESH = "/v1/email-verifications", "/v1/password-resets", "/v1/sessions/refresh"
CHANGES = "/v1/customers/me/password-changes"
EMAIL = "nobody-yet@example.com"
SESSION: dict[str, Any] = {"email": EMAIL, "password": PASSWORD}
POSTS = pytest.mark.parametrize(
    ("path", "good"), [(CUSTOMERS, registration_body(EMAIL)), (SESSIONS, SESSION)], ids=["customer", "session"]
)
BODIES = pytest.mark.parametrize(
    ("path", "good"),
    [
        (VERIFICATIONS, {"token": "x"}),
        (REFRESH, {"refresh_token": "x"}),
        (f"{SESSIONS}/logout", {"refresh_token": "x"}),
        ("/v1/password-reset-mails", {"email": EMAIL}),
        (RESETS, {"token": "x", "new_password": PASSWORD}),
        ("/v1/customers/me/addresses", ADDRESS | {"default_for": ["shipping"]}),
        ("/v1/erasures", {"password": "x"}),
        (CHANGES, {"current_password": PASSWORD, "new_password": PASSWORD}),
    ],
    ids=lambda given: given.rpartition("/")[2] if isinstance(given, str) else "",
)
SECRETS = ("token", "refresh_token", "current_password", "new_password", "password")


@pytest.fixture(autouse=True)
async def nothing_is_stored(shared: Postgres) -> AsyncIterator[None]:
    async def stored() -> int:
        async with shared.reading() as connection:
            return int(await connection.scalar(sa.select(sa.func.count()).select_from(accounts)) or 0)

    before = await stored()
    yield
    assert await stored() == before


@POSTS
async def test_a_body_that_is_not_a_json_object_is_malformed(api: API, path: str, good: dict[str, Any]) -> None:
    assert await accepted_bodies(api, path, bad_inputs.NOT_AN_OBJECT.items(), {}) == []


@POSTS
async def test_a_body_with_any_wrong_value_is_malformed(api: API, path: str, good: dict[str, Any]) -> None:
    # A log-in with an empty e-mail address or password is well-formed, and fails.
    bodies = [
        (name, content)
        for name, content, place in bad_inputs.invalid_bodies(good, free=["password"])
        if path == CUSTOMERS or json.loads(content).get(place[-1]) != ""
    ]
    assert len(bodies) > 30
    assert await accepted_bodies(api, path, bodies, {}) == []


@POSTS
async def test_a_body_without_any_of_its_fields_is_malformed_there(api: API, path: str, good: dict[str, Any]) -> None:
    for name, content, place in bad_inputs.without_each(good):
        response = await api.post(path, content=content, headers=bad_inputs.JSON)
        assert malformed_fields(response) == {f"body/{place[-1]}"}, name


@POSTS
@pytest.mark.parametrize("password", ["\ud800" * 10, "x" * 20 + "\udfff"])
async def test_a_password_with_lone_surrogates_is_malformed(
    api: API, path: str, good: dict[str, Any], password: str
) -> None:
    response = await api.post(path, content=json.dumps({**good, "password": password}), headers=bad_inputs.JSON)
    assert malformed_fields(response) == {"body/password"}


@POSTS
async def test_a_password_is_never_echoed(api: API, path: str, good: dict[str, Any]) -> None:
    secret = "s3cret-value-nobody-should-see"
    for changed in (
        {"password": [secret]},
        {"password": secret * 20},
        {"password": {"a": secret}},
        {"extra": secret},
    ):
        response = await api.post(path, json={**good, **changed})
        assert malformed_fields(response)
        assert secret not in response.text


NOT_EMAILS = (
    *("", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "ada@example.com\n"),
    *("ada@exa\x00mple.com", "ada@@example.com", "ada@-example.com", "ada@example..com", "ada@[127.0.0.1]"),
    *(f"{'a' * 255}@example.com", f"a@{'b.' * 130}com", "ada@example.com,eve@example.com"),
    *("\u202eada@example.com", "ada\r\nBcc: eve@example.com", "Ada <ada@example.com"),
)


@pytest.mark.parametrize("email", NOT_EMAILS, ids=lambda email: repr(email)[:30])
async def test_a_registration_needs_a_valid_email_address(api: API, email: str) -> None:
    response = await api.post(CUSTOMERS, json=registration_body(email))
    assert malformed_fields(response) == {"body/email"}


@POSTS
async def test_a_body_that_is_too_large_is_refused_even_without_a_content_length(
    api: API, path: str, good: dict[str, Any]
) -> None:
    content = bad_inputs.chunked(bad_inputs.oversized())
    assert_problem(await api.post(path, content=content, headers=bad_inputs.JSON), 413, "body_too_large")


@POSTS
@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_body_of_another_media_type_is_refused(api: API, path: str, good: dict[str, Any], kind: str) -> None:
    response = await api.post(path, content=json.dumps(good), headers={"Content-Type": kind})
    assert_problem(response, 415, "unsupported_media_type")


async def test_a_registration_cannot_choose_a_role(api: API) -> None:
    response = await api.post(CUSTOMERS, json=registration_body(EMAIL, role="staff"))
    assert malformed_fields(response) == {"body/role"}


async def test_an_invalid_access_token_is_refused(api: API) -> None:
    assert await accepted_tokens(api, "GET", ME, bad_inputs.bad_tokens()) == []
    assert_problem(await api.get(ME), 401, "unauthenticated")


@BODIES
async def test_other_bodies_with_any_wrong_value_are_malformed(api: API, path: str, good: dict[str, Any]) -> None:
    headers = bearer()
    bodies = [
        (name, content)
        for name, content, place in bad_inputs.invalid_bodies(good, free=SECRETS)
        if json.loads(content).get(place[-1]) != "" or place[-1] not in ("current_password", "password")
    ]
    assert await accepted_bodies(api, path, [*bad_inputs.NOT_AN_OBJECT.items(), *bodies], headers) == []
    for name, content, place in bad_inputs.without_each(good):
        response = await api.post(path, content=content, headers=bad_inputs.JSON | headers)
        assert malformed_fields(response) == {f"body/{place[-1]}"}, name


@pytest.mark.parametrize("path", [VERIFICATIONS, RESETS, REFRESH])
@pytest.mark.parametrize("token", ["x", "x" * 200, "\x00", "' OR 1=1 --", "\u202e", "%00"])
async def test_an_unknown_token_is_refused_and_not_echoed(api: API, path: str, token: str) -> None:
    body = {"refresh_token": token} if path == REFRESH else {"token": token}
    response = await api.post(path, json=body | ({"new_password": PASSWORD} if path == RESETS else {}))
    assert (response.status_code, response.json()["code"]) in {(401, "refresh_token_invalid"), (409, "link_invalid")}
    assert token == "x" or token not in response.text


async def test_an_invalid_access_token_changes_no_password(api: API) -> None:
    body = {"current_password": PASSWORD, "new_password": PASSWORD}
    assert await accepted_tokens(api, "POST", CHANGES, bad_inputs.bad_tokens(), body) == []
