"""A hot route responds as FastAPI would have, and is described as FastAPI would have described it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.routing import APIRoute

from chassis.http.bodies import RequestBody
from chassis.http.errors import UnsupportedMediaType
from chassis.http.hot_route import HotRoute
from chassis.http.routing import new_router

Tag = Annotated[str | None, Header(min_length=2, max_length=4)]
Lines = Annotated[list[str] | None, Header()]
Size = Annotated[str | None, Query(pattern="^[0-9]+$")]


class Thing(RequestBody):
    name: str
    sizes: list[int]


async def _who(request: Request) -> str:
    return request.headers.get("x-who", "nobody")


async def make(
    who: Annotated[str, Depends(_who)], thing: Thing, my_tag: Tag = None, lines: Lines = None, size: Size = None
) -> Response:
    return Response(f"{who} {thing.name} {thing.sizes} {my_tag} {lines} {size}")


def app(route_class: type[APIRoute]) -> FastAPI:
    made = FastAPI()
    router = new_router(route_class=route_class)
    router.post("/things")(make)
    made.include_router(router)
    return made


@pytest.fixture
async def both() -> AsyncIterator[list[httpx.AsyncClient]]:
    apps = [app(HotRoute), app(APIRoute)]
    clients = [httpx.AsyncClient(transport=httpx.ASGITransport(one), base_url="http://test") for one in apps]
    yield clients
    for client in clients:
        await client.aclose()


GOOD = b'{"name": "mug", "sizes": [1, 2]}'
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        (JSON, GOOD),
        (JSON | {"x-who": "ada", "my-tag": "abc"}, GOOD),
        ({"content-type": "application/merge-patch+json; charset=utf-8"}, GOOD),
        (JSON | {"my-tag": "a"}, GOOD),
        (JSON | {"my-tag": "abcde"}, GOOD),
        (JSON, b'{"name": 1, "sizes": [1, "2"], "more": null}'),
        (JSON, b'{"sizes": []}'),
        (JSON, b"[]"),
        (JSON, b"null"),
    ],
)
async def test_the_response_equals_that_of_fastapi(
    both: list[httpx.AsyncClient], headers: dict[str, str], content: bytes
) -> None:
    hot, plain = [await client.post("/things", headers=headers, content=content) for client in both]
    assert hot.status_code == plain.status_code
    assert places(hot) == places(plain)


@pytest.mark.parametrize(
    "query", ["", "?", "?size=5", "?size=x", "?size=", "?size=5&size=6", "?other=x", "?size=%ff"]
)
async def test_a_query_and_a_header_of_several_lines_are_taken_as_fastapi_takes_them(
    both: list[httpx.AsyncClient], query: str
) -> None:
    headers = [("content-type", "application/json"), ("lines", "a"), ("lines", "b, c")]
    hot, plain = [await client.post(f"/things{query}", headers=headers, content=GOOD) for client in both]
    assert (hot.status_code, places(hot)) == (plain.status_code, places(plain))


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"name": "\\ud800", "sizes": []}', b"[" * 100_000])
async def test_a_body_that_is_not_json_is_refused(both: list[httpx.AsyncClient], content: bytes) -> None:
    response = await both[0].post("/things", headers=JSON, content=content)
    assert response.status_code == 422


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "json", ""])
async def test_a_body_of_another_type_is_refused(both: list[httpx.AsyncClient], kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        await both[0].post("/things", headers={"content-type": kind}, content=GOOD)


def test_the_description_is_the_same() -> None:
    assert app(HotRoute).openapi() == app(APIRoute).openapi()


def test_an_unsupported_parameter_is_refused_at_start() -> None:
    async def query(page: int) -> Response:
        return Response(str(page))

    with pytest.raises(TypeError, match="page"):
        new_router(route_class=HotRoute).post("/things")(query)


def places(response: httpx.Response) -> Any:
    """Where the errors are; the text where there are none."""
    if response.status_code == 200:
        return response.text
    return sorted(tuple(error["loc"]) for error in response.json()["detail"])
