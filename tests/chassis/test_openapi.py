"""What an app says of itself, where FastAPI by itself would say it wrongly."""

import httpx
import pytest
from fastapi import FastAPI

from tests.contracts.apps import SERVICES, described


@pytest.mark.parametrize("service", SERVICES)
def test_every_error_is_promised_as_problem_details(service: str) -> None:
    document = described()[service]
    promised = {
        (path, status): set(answer["content"])
        for path, methods in document["paths"].items()
        if path.startswith("/v1")
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    }
    assert promised
    assert {place: media for place, media in promised.items() if media != {"application/problem+json"}} == {}
    assert document["components"]["schemas"]["Problem"]["required"]


async def test_a_405_names_the_methods_of_all_routes_of_the_path() -> None:
    from chassis.rest import _HANDLERS, Requests

    app = FastAPI()
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(Requests)
    app.add_api_route("/things/first", lambda: None, methods=["GET"])
    app.add_api_route("/things/{name}", lambda name: None, methods=["GET"])
    app.add_api_route("/things/{name}", lambda name: None, methods=["PUT"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        assert (await client.delete("/things/1")).headers["allow"] == "GET, PUT"
        assert (await client.delete("/things/first")).headers["allow"] == "GET"
