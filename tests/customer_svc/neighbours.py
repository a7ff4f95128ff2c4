"""A stand-in for the REST fronts of order_svc and notifier_svc, which answers, or does not, as the test says."""

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

Mood = Literal["well", "broken", "refusing", "babbling", "hanging", "hanging up", "strange"]
ANSWERS: dict[Mood, tuple[str, bytes]] = {
    "broken": ("500 Oh", b"{}"),
    "refusing": ("401 Who", b"{}"),
    "babbling": ("200 OK", b"<html>"),
    "strange": ("200 OK", b'{"items": "many", "next": null}'),
}


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]


@dataclass
class Neighbours:
    """What they have for ``path``, how they feel about it, and from which request on; and what they were asked."""

    url: str = ""
    items: dict[str, list[Any]] = field(default_factory=dict)
    moods: dict[str, Mood] = field(default_factory=dict)
    patience: int = 0
    asked: list[Asked] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head, _, headers = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        target = urlsplit(head.split(b" ")[1].decode())
        told = {name.lower(): value for name, value in parse_headers(BytesIO(headers)).items()}
        asked = Asked(target.path, parse_qs(target.query), told)
        earlier = sum(one.path == asked.path for one in self.asked)
        self.asked.append(asked)
        mood: Mood = self.moods.get(asked.path, "well") if earlier >= self.patience else "well"
        if mood == "hanging":
            await asyncio.sleep(3600)
        if mood != "hanging up":
            status, body = ANSWERS.get(mood) or ("200 OK", json.dumps(self._page(asked)).encode())
            start = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(start.encode() + body)
        writer.close()

    def _page(self, asked: Asked) -> dict[str, Any]:
        items, limit = self.items.get(asked.path, []), int(asked.query["limit"][0])
        begin = int(asked.query.get("before", ["0"])[0])
        end = begin + limit
        return {"items": items[begin:end], "next": end if end < len(items) else None}


@asynccontextmanager
async def neighbours() -> AsyncIterator[Neighbours]:
    made = Neighbours()
    async with listening(made.serve) as made.url:
        yield made
