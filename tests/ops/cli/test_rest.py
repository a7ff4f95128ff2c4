"""The REST client of the commands: a login that is renewed, requests that can be repeated, errors in one line."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from deploy.local.ports import free_port
from ops.errors import CannotDo
from ops.platform import Account, Platform
from ops.rest import Refused, Unreachable, open_rest
from tests.ops.cli.stub import LOGIN, Stub, serving

Answer = Callable[[Request], Response]


class Service(Stub):
    """Answers as a test says, and remembers the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.answer: Answer = lambda _: JSONResponse({"fine": True})
        self.app.api_route("/v1/things", methods=["GET", "POST", "PATCH"])(self.respond)

    async def respond(self, request: Request) -> Response:
        self.requests.append(request)
        return self.answer(request)


@pytest.fixture
async def service() -> Service:
    return Service()


@pytest.fixture
async def platform(service: Service) -> AsyncIterator[Platform]:
    async with serving(service.app) as url:
        yield Platform({"customer": url, "order": url}, account=Account(LOGIN["OPS_EMAIL"], LOGIN["OPS_PASSWORD"]))


def problem(status: int, **members: Any) -> Answer:
    return lambda _: JSONResponse(members, status, media_type="application/problem+json")


async def test_a_request_is_authorised_and_has_its_parameters(service: Service, platform: Platform) -> None:
    async with open_rest(platform) as rest:
        assert await rest.get("order", "/v1/things", state="dead", after=None, limit=3) == {"fine": True}
        await rest.get("order", "/v1/things")
    first, _ = service.requests
    assert str(first.url.query) == "state=dead&limit=3"
    assert first.headers["authorization"] == "Bearer token 1"
    assert service.logins == 1


async def test_a_login_is_renewed_before_it_expires(service: Service, platform: Platform) -> None:
    service.expires_in = 59
    async with open_rest(platform) as rest:
        await rest.get("order", "/v1/things")
        await rest.get("order", "/v1/things")
    assert [request.headers["authorization"] for request in service.requests] == ["Bearer token 1", "Bearer token 2"]


async def test_a_one_time_code_is_used_once_and_then_the_session_is_refreshed(
    service: Service, platform: Platform
) -> None:
    service.expires_in, service.code = 59, "492039"
    assert platform.account
    with_code = replace(platform, account=replace(platform.account, code="492039"))
    async with open_rest(with_code) as rest:
        await rest.get("order", "/v1/things")
        assert service.code == "492039", "a login"
        await rest.get("order", "/v1/things")
    assert service.code is None, "a refresh"
    assert [request.headers["authorization"] for request in service.requests] == ["Bearer token 1", "Bearer token 2"]


async def test_a_token_that_is_refused_is_replaced_once_for_a_stream_as_well(
    service: Service, platform: Platform
) -> None:
    service.answer = lambda request: (
        Response("ended", 401) if request.headers["authorization"].endswith(" 1") else Response("much")
    )
    async with open_rest(platform) as rest, rest.stream("order", "/v1/things") as response:
        assert await response.aread() == b"much"
    assert service.logins == 2
    service.answer = lambda _: Response("no", 401)
    async with open_rest(platform) as rest:
        with pytest.raises(Refused, match=r"^order: 401: "):
            async with rest.stream("order", "/v1/things"):
                pytest.fail("there is nothing to read")
    assert service.logins == 4


@pytest.mark.parametrize(("status", "kind"), [(502, Unreachable), (403, CannotDo)])
async def test_a_login_that_a_proxy_answers_in_html_may_succeed_later(status: int, kind: type[CannotDo]) -> None:
    app = FastAPI()
    app.post("/v1/sessions")(lambda: HTMLResponse("<html>", status))
    async with serving(app) as url:
        account = Account(LOGIN["OPS_EMAIL"], LOGIN["OPS_PASSWORD"])
        async with open_rest(Platform({"customer": url, "order": url}, account=account)) as rest:
            with pytest.raises(CannotDo, match=rf"^customer: login of \S+ at \S+ failed: {status} http") as failed:
                await rest.get("order", "/v1/things")
    assert type(failed.value) is kind


@pytest.mark.parametrize("method", ["post", "patch"])
async def test_a_change_has_its_key(service: Service, platform: Platform, method: str) -> None:
    async with open_rest(platform) as rest:
        await getattr(rest, method)("order", "/v1/things", {"why": "x"}, key="4711")
    assert (service.requests[0].headers["idempotency-key"], service.requests[0].method) == ("4711", method.upper())


async def test_all_pages_are_read(service: Service, platform: Platform) -> None:
    def page(request: Request) -> Response:
        after = int(request.query_params.get("cursor", 0))
        return JSONResponse({"items": [{"n": after}, {"n": after + 1}], "next": after + 2 if after < 4 else None})

    service.answer = page
    async with open_rest(platform) as rest:
        assert [one["n"] async for one in rest.items("order", "/v1/things")] == [0, 1, 2, 3, 4, 5]


async def test_a_service_that_does_not_know_the_cursor_is_named(service: Service, platform: Platform) -> None:
    service.answer = lambda _request: JSONResponse({"items": [{"n": 1}], "next": 2})
    async with open_rest(platform) as rest:
        with pytest.raises(CannotDo, match="order does not know the parameter cursor"):
            assert [one async for one in rest.items("order", "/v1/things")]


async def test_a_problem_is_one_line_with_its_code(service: Service, platform: Platform) -> None:
    service.answer = problem(409, code="job_running", detail="Another job\nis running.", allowed=["cancel"])
    async with open_rest(platform) as rest:
        with pytest.raises(Refused) as refused:
            await rest.post("order", "/v1/things", {}, key="1")
    assert (refused.value.status, refused.value.code) == (409, "job_running")
    assert str(refused.value) == "order: job_running: Another job is running. Possible now: cancel."
    errors = [{"where": "body/why", "what": "Field required", "type": "missing"}]
    service.answer = problem(422, code="malformed_request", detail="See errors.", errors=errors)
    async with open_rest(platform) as rest:
        with pytest.raises(Refused, match=r"^order: malformed_request: See errors\. \(body/why: Field required\)$"):
            await rest.get("order", "/v1/things")


@pytest.mark.parametrize("answer", ["<html>", "[1]", ""])
async def test_an_error_that_is_no_problem_is_one_line(service: Service, platform: Platform, answer: str) -> None:
    service.answer = lambda _: Response(answer, 502)
    async with open_rest(platform) as rest:
        with pytest.raises(Refused, match=r"^order: 502: http://\S+/v1/things responded 502 Bad Gateway$"):
            await rest.get("order", "/v1/things")


async def test_an_answer_that_is_no_json_is_named(service: Service, platform: Platform) -> None:
    service.answer = lambda _: Response("<html>", 200)
    async with open_rest(platform) as rest:
        with pytest.raises(CannotDo, match=r"^order: http://\S+/v1/things did not send JSON$"):
            await rest.get("order", "/v1/things")


async def test_a_change_with_an_unknown_outcome_says_how_to_repeat_it(service: Service, platform: Platform) -> None:
    service.answer = problem(503, code="outcome_unknown", detail="The change may have happened.")
    async with open_rest(platform) as rest:
        with pytest.raises(CannotDo, match=r"repeat it with --request-id 4711$"):
            await rest.post("order", "/v1/things", {}, key="4711")
        with pytest.raises(CannotDo) as read:
            await rest.get("order", "/v1/things")
    assert "--request-id" not in str(read.value)


async def test_a_service_that_breaks_off_leaves_the_outcome_unknown() -> None:
    async def breaks_off(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] == "/v1/sessions":
            await Stub().app(scope, receive, send)
        else:
            announced = [(b"content-length", b"10")]
            await send({"type": "http.response.start", "status": 200, "headers": announced})

    async with serving(breaks_off) as url:
        account = Account(LOGIN["OPS_EMAIL"], LOGIN["OPS_PASSWORD"])
        async with open_rest(Platform({"customer": url, "order": url}, account=account)) as rest:
            with pytest.raises(CannotDo, match=r"it may have happened: repeat it with --request-id 4711$"):
                await rest.post("order", "/v1/things", {}, key="4711")


async def test_a_service_that_is_away_has_done_nothing(platform: Platform) -> None:
    away = replace(platform, urls={**platform.urls, "order": f"http://127.0.0.1:{free_port()}"})
    async with open_rest(away) as rest:
        with pytest.raises(CannotDo, match=r"^order: http://\S+ does not answer: ") as failed:
            await rest.post("order", "/v1/things", {}, key="4711")
    assert "--request-id" not in str(failed.value)


@pytest.mark.parametrize("url", ["no url", "http://[", "ftp://x"])
async def test_a_url_that_is_none_is_named(platform: Platform, url: str) -> None:
    wrong = replace(platform, urls={**platform.urls, "order": url})
    async with open_rest(wrong) as rest:
        with pytest.raises(CannotDo, match=r"^order: "):
            await rest.get("order", "/v1/things")


async def test_without_an_account_or_a_url_the_option_is_named(platform: Platform) -> None:
    async with open_rest(replace(platform, account=None)) as rest:
        with pytest.raises(CannotDo, match=r"set --email and OPS_PASSWORD"):
            await rest.get("order", "/v1/things")
    async with open_rest(platform) as rest:
        with pytest.raises(CannotDo, match=r"set --product-url"):
            await rest.get("product", "/v1/things")
