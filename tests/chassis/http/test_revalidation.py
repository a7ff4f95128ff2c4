"""Responses to GET have a tag of what they say, and a client that has it already gets 304."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Response

from chassis.http.compressed_responses import SHORTEST, CompressedResponses
from chassis.http.head_requests import HeadRequests
from chassis.http.in_progress import InProgress
from chassis.http.middleware import RequestMiddleware
from chassis.http.preconditions import IfMatch, etag, unchanged_since
from chassis.http.responses import HANDLERS
from chassis.http.revalidation import Revalidation
from chassis.http.safe_headers import cacheable
from chassis.http.streaming import StreamingBody

THING: dict[str, Any] = {}
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    """An app with a thing of version 3, which also says how many there are: that changes without the version."""
    app = FastAPI()
    for kind, handler in HANDLERS.items():
        app.add_exception_handler(kind, handler)
    for middleware in (CompressedResponses, Revalidation, HeadRequests):
        app.add_middleware(middleware)
    app.add_middleware(RequestMiddleware, in_progress=InProgress())
    THING.clear()
    THING.update(name="Mug", available=7)

    @app.get("/thing")
    async def read(response: Response) -> dict[str, Any]:
        response.headers["ETag"] = etag(3)
        return THING

    @app.patch("/thing")
    async def change(if_match: IfMatch = None) -> None:
        unchanged_since(if_match, 3)

    @app.get("/page")
    @cacheable(seconds=60)
    async def page() -> dict[str, Any]:
        return THING

    @app.get("/personal")
    async def personal() -> dict[str, Any]:
        return THING

    @app.get("/stream")
    @cacheable(seconds=60)
    async def stream() -> Response:
        async def chunks() -> Any:
            yield b"1"
            yield b"2"

        return await StreamingBody.starting(chunks(), "text/plain")

    @app.get("/missing")
    @cacheable(seconds=60)
    async def missing() -> Response:
        return Response("", 404, {"ETag": etag(3)})

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def again(api: httpx.AsyncClient, path: str, tag: str, **headers: str) -> httpx.Response:
    return await api.get(path, headers={"If-None-Match": tag, **headers})


@pytest.mark.parametrize("path", ["/thing", "/page"])
async def test_who_has_it_already_gets_304_until_it_says_something_else(api: httpx.AsyncClient, path: str) -> None:
    first = await api.get(path)
    tag = first.headers["etag"]
    same = await again(api, path, tag)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    assert not {"content-type", "content-length", "content-encoding"} & same.headers.keys()
    for name in ("cache-control", "vary", "x-content-type-options"):
        assert same.headers.get(name) == first.headers.get(name), name
    THING["available"] = 0
    other = await again(api, path, tag)
    assert (other.status_code, other.json()["available"]) == (200, 0)
    assert other.headers["etag"] != tag


async def test_the_tag_of_a_response_is_that_of_its_version_for_a_change(api: httpx.AsyncClient) -> None:
    tag = (await api.get("/thing")).headers["etag"]
    assert tag.startswith('"3.')
    THING["available"] = 0
    assert (await api.patch("/thing", headers={"If-Match": tag})).status_code == 200
    assert (await api.patch("/thing", headers={"If-Match": '"3"'})).status_code == 200
    for stale in (tag.replace("3.", "2."), f"W/{tag}", tag[:-1], tag.replace("3.", ".3.")):
        assert (await api.patch("/thing", headers={"If-Match": stale})).status_code == 412, stale


@pytest.mark.parametrize("given", ["{}", "W/{}", '"x", {}', '"x" , W/{},"y"', "*"])
async def test_one_of_several_tags_is_enough_and_a_weak_one_as_good(api: httpx.AsyncClient, given: str) -> None:
    tag = (await api.get("/thing")).headers["etag"]
    assert (await again(api, "/thing", given.format(tag))).status_code == 304


@pytest.mark.parametrize("given", ['"3"', "", ",", '"', "x", '"*"', "\u00e4"])
async def test_any_other_condition_is_none(api: httpx.AsyncClient, given: str) -> None:
    response = await api.get("/thing", headers=[(b"If-None-Match", given.encode("latin-1"))])
    assert (response.status_code, response.json()) == (200, THING)


async def test_the_header_can_come_on_several_lines(api: httpx.AsyncClient) -> None:
    tag = (await api.get("/thing")).headers["etag"]
    lines = [(b"If-None-Match", b'"x"'), (b"If-None-Match", tag.encode())]
    assert (await api.get("/thing", headers=lines)).status_code == 304


async def test_head_is_answered_as_get(api: httpx.AsyncClient) -> None:
    for path in ("/thing", "/page"):
        get, head = await api.get(path), await api.head(path)
        for name in ("etag", "content-length", "content-type", "cache-control", "vary"):
            assert head.headers.get(name) == get.headers.get(name), f"{path} {name}"
        same = await api.head(path, headers={"If-None-Match": get.headers["etag"]})
        assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", get.headers["etag"])
        assert "content-length" not in same.headers


async def test_errors_streams_and_what_has_no_version_are_never_304(api: httpx.AsyncClient) -> None:
    for path, status in (("/personal", 200), ("/stream", 200), ("/missing", 404), ("/nowhere", 404)):
        assert (await again(api, path, "*")).status_code == status, path
    assert "etag" not in (await api.get("/personal")).headers
    assert (await api.get("/stream")).content == b"12"


async def test_a_compressed_response_has_a_tag_of_its_own_which_a_change_accepts(api: httpx.AsyncClient) -> None:
    THING["text"] = "x" * SHORTEST
    short, long = await api.get("/thing"), await api.get("/thing", headers=PLAIN)
    assert short.headers["content-encoding"] == "gzip"
    assert short.json() == long.json()
    assert short.headers["etag"] != long.headers["etag"]
    same = await again(api, "/thing", short.headers["etag"])
    assert (same.status_code, same.headers["vary"]) == (304, "Accept-Encoding")
    assert (await again(api, "/thing", short.headers["etag"], **PLAIN)).status_code == 200
    for response in (short, long):
        assert (await api.patch("/thing", headers={"If-Match": response.headers["etag"]})).status_code == 200


async def test_caches_keep_what_is_for_everybody_apart_from_what_is_for_a_token(api: httpx.AsyncClient) -> None:
    THING["text"] = "x" * SHORTEST
    assert (await api.get("/page")).headers.get_list("vary") == ["Accept-Encoding, Authorization"]
    with_token = await api.get("/page", headers={"Authorization": "Bearer x"})
    assert (with_token.headers["cache-control"], with_token.headers["vary"]) == ("no-store", "Accept-Encoding")
