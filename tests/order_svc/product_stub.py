"""A stub of product_svc's REST API, which responds as its ``mode`` says."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from uuid_utils.compat import uuid7

from tests.listening import listening

Mode = Literal["normal", "error", "no json", "timeout", "disconnect", "wrong schema"]


@dataclass
class ProductStub:
    """What it sells (SKU → price), the requests it got, and how it responds."""

    url: str = ""
    mode: Mode = "normal"
    prices: dict[str, int] = field(default_factory=dict)
    discontinued: set[str] = field(default_factory=set)
    requests: list[list[str]] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    """The ``traceparent`` of each request."""

    def sell(self, amount: int = 500) -> str:
        sku = f"SKU-{uuid7()}"
        self.prices[sku] = amount
        return sku

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        skus = parse_qs(urlsplit(head.split(" ")[1]).query)["sku"]
        self.traces += re.findall(r"^traceparent: (.*)\r$", head, re.I | re.M)
        self.requests.append(skus)
        if self.mode == "timeout":
            await asyncio.sleep(3600)
        if self.mode != "disconnect":
            status = "500 Error" if self.mode == "error" else "200 OK"
            body = b"<html>" if self.mode == "no json" else json.dumps(self._page(skus)).encode()
            answer = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(answer.encode() + body)
        writer.close()

    def _page(self, skus: list[str]) -> dict[str, Any]:
        if self.mode == "wrong schema":
            return {"items": [{"id": 1, "variants": "many"}]}
        return {"items": [self._product(sku) for sku in skus if sku in self.prices], "next": None}

    def _product(self, sku: str) -> dict[str, Any]:
        status = "discontinued" if sku in self.discontinued else "active"
        variant = {"sku": sku, "price": {"amount": self.prices[sku], "currency": "EUR"}, "status": status}
        return {"id": str(uuid7()), "name": "New mug", "version": 1, "attributes": {}, "variants": [variant]}


@asynccontextmanager
async def open_product_stub() -> AsyncIterator[ProductStub]:
    stub = ProductStub()
    async with listening(stub.serve) as stub.url:
        yield stub
