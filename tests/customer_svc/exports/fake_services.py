"""A stand-in for the REST APIs of order_svc and notifier_svc, which responds or fails as a test demands."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import parse_headers
from io import BytesIO
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from tests.listening import listening

Behaviour = Literal["respond", "error", "unauthorized", "html", "hang", "disconnect", "wrong types"]
RESPONSES: dict[Behaviour, tuple[str, bytes]] = {
    "error": ("500 Internal Server Error", b"{}"),
    "unauthorized": ("401 Unauthorized", b"{}"),
    "html": ("200 OK", b"<html>"),
    "wrong types": ("200 OK", b'{"items": "many", "next": null}'),
}


@dataclass(frozen=True)
class ReceivedRequest:
    """A request that was received."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


@dataclass
class FakeServices:
    """By path, the items and the behaviour, which begins after ``good_requests``; and the requests so far."""

    url: str = ""
    items: dict[str, list[Any]] = field(default_factory=dict)
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    good_requests: int = 0
    requests: list[ReceivedRequest] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _, lines = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        target = urlsplit(head.split(b" ")[1].decode())
        headers = {name.lower(): value for name, value in parse_headers(BytesIO(lines)).items()}
        request = ReceivedRequest(target.path, parse_qs(target.query), headers)
        earlier = sum(one.path == request.path for one in self.requests)
        self.requests.append(request)
        behaviour = self.behaviours.get(request.path, "respond") if earlier >= self.good_requests else "respond"
        if behaviour == "hang":
            await asyncio.sleep(3600)
        if behaviour != "disconnect":
            status, body = RESPONSES.get(behaviour) or ("200 OK", json.dumps(self._page(request)).encode())
            start = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(start.encode() + body)
        writer.close()

    def _page(self, request: ReceivedRequest) -> dict[str, Any]:
        items, limit = self.items.get(request.path, []), int(request.query["limit"][0])
        begin = int(request.query.get("before", ["0"])[0])
        end = begin + limit
        return {"items": items[begin:end], "next": end if end < len(items) else None}


@asynccontextmanager
async def fake_services() -> AsyncIterator[FakeServices]:
    services = FakeServices()
    async with listening(services.serve) as services.url:
        yield services
