"""A stand-in for product_svc's REST API that answers, or does not, as the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from uuid_utils.compat import uuid7

from tests.listening import listening

Mood = Literal["well", "broken", "babbling", "hanging", "hanging up", "strange"]


@dataclass
class Shopfront:
    """What it sells (SKU → price), what it was asked for, and how it feels."""

    url: str = ""
    mood: Mood = "well"
    prices: dict[str, int] = field(default_factory=dict)
    discontinued: set[str] = field(default_factory=set)
    asked: list[list[str]] = field(default_factory=list)

    def sell(self, amount: int = 500) -> str:
        sku = f"SKU-{uuid7()}"
        self.prices[sku] = amount
        return sku

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        skus = parse_qs(urlsplit(request).query)["sku"]
        self.asked.append(skus)
        if self.mood == "hanging":
            await asyncio.sleep(3600)
        if self.mood != "hanging up":
            status = "500 Oh" if self.mood == "broken" else "200 OK"
            body = b"<html>" if self.mood == "babbling" else json.dumps(self._page(skus)).encode()
            head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + body)
        writer.close()

    def _page(self, skus: list[str]) -> dict[str, Any]:
        if self.mood == "strange":
            return {"items": [{"id": 1, "variants": "many"}]}
        return {"items": [self._product(sku) for sku in skus if sku in self.prices], "next": None}

    def _product(self, sku: str) -> dict[str, Any]:
        status = "discontinued" if sku in self.discontinued else "active"
        variant = {"sku": sku, "price": {"amount": self.prices[sku], "currency": "EUR"}, "status": status}
        return {"id": str(uuid7()), "name": "New mug", "version": 1, "attributes": {}, "variants": [variant]}


@asynccontextmanager
async def open_shopfront() -> AsyncIterator[Shopfront]:
    shopfront = Shopfront()
    async with listening(shopfront.serve) as shopfront.url:
        yield shopfront
