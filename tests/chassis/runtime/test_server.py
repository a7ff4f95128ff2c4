"""Which addresses clients are believed to have."""

import pytest
from starlette.types import Message, Receive, Scope, Send

from chassis.runtime.bounded_http import HttpLimits
from chassis.runtime.server import Server


async def client_seen(proxies: str, connected_from: str, forwarded_for: str) -> str:
    """The address of a client as an app behind the server sees it."""
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["client"][0])

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        return None

    config = Server(app, lambda: None, HttpLimits(10, 10, 10), proxies).config
    config.load()
    headers = [(b"x-forwarded-for", forwarded_for.encode())]
    scope = {"type": "http", "client": (connected_from, 1), "headers": headers, "scheme": "http"}
    await config.loaded_app(scope, receive, send)
    return seen[0]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.0.0.1"])
async def test_a_client_has_the_address_that_it_connects_from_whatever_it_says(address: str) -> None:
    assert await client_seen("", address, "203.0.113.7") == address


async def test_only_a_configured_proxy_is_believed() -> None:
    proxies = "10.0.0.1,10.1.0.0/16"
    assert await client_seen(proxies, "10.0.0.1", "203.0.113.7") == "203.0.113.7"
    assert await client_seen(proxies, "10.1.2.3", "203.0.113.7") == "203.0.113.7"
    assert await client_seen(proxies, "127.0.0.1", "203.0.113.7") == "127.0.0.1"


async def test_of_several_addresses_the_one_that_the_proxy_saw_counts() -> None:
    assert await client_seen("10.0.0.1", "10.0.0.1", "198.51.100.1, 203.0.113.7") == "203.0.113.7"
