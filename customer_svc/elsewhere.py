"""What the other services have about a customer: read from their REST fronts, in the customer's own name.

For the export alone (docs/decisions/0025). It is passed on as it comes, and a page of it at a time: somebody may have
thousands of orders.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any, Literal

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from chassis.runtime.telemetry import trace
from customer_svc.errors import ExportUnavailable

SECONDS = 5.0
"""How long one page may take."""
PAGE = 100

Part = Literal["orders", "notifications"]
Pages = AsyncGenerator[list[dict[str, Any]], None]


class _Page(BaseModel):
    items: list[dict[str, Any]]
    next: str | int | None


class Elsewhere:
    """The REST APIs of order_svc and notifier_svc at these URLs."""

    def __init__(self, order_url: str, notifier_url: str) -> None:
        self._clients: Mapping[Part, httpx.AsyncClient] = {
            "orders": httpx.AsyncClient(base_url=order_url, timeout=SECONDS),
            "notifications": httpx.AsyncClient(base_url=notifier_url, timeout=SECONDS),
        }

    async def beside(self, account: bytes, bearer: str) -> AsyncGenerator[bytes, None]:
        """An account (a JSON object) with what the others have put in, some at a time.

        ``bearer`` is the ``Authorization`` that the customer has sent. Raise ``ExportUnavailable``: before the first
        piece unless each of the others has answered, and later where one goes away. What there is until then is no
        JSON.
        """
        async with AsyncExitStack() as stack:
            begun: list[tuple[Part, list[dict[str, Any]], Pages]] = []
            for part in self._clients:
                pages = await stack.enter_async_context(aclosing(self._pages(part, bearer)))
                begun.append((part, await anext(pages), pages))
            yield account.removesuffix(b"}")
            for part, first, pages in begun:
                yield b',"%b":[%b' % (part.encode(), _listed(first))
                async for page in pages:
                    yield b"," + _listed(page)
                yield b"]"
            yield b"}"

    async def _pages(self, part: Part, bearer: str) -> Pages:
        page = await self._page(part, bearer, None)
        yield page.items
        while page.next is not None:
            page = await self._page(part, bearer, page.next)
            # Only the first can be empty, and lists have no comma before nothing.
            if page.items:
                yield page.items

    async def _page(self, part: Part, bearer: str, before: str | int | None) -> _Page:
        query = {"limit": PAGE} if before is None else {"limit": PAGE, "before": before}
        headers = {"Authorization": bearer, "traceparent": trace.get() or ""}
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._clients[part].get(f"/v1/exports/{part}", params=query, headers=headers)
            answer.raise_for_status()
            return _Page.model_validate_json(answer.content)
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            raise ExportUnavailable(part=part) from error

    async def close(self) -> None:
        """Let go of the connections."""
        for client in self._clients.values():
            await client.aclose()


def _listed(items: list[dict[str, Any]]) -> bytes:
    """The items as they stand in a list of JSON."""
    return orjson.dumps(items)[1:-1]
