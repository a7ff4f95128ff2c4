"""Reads a customer's data from the other services, for the export (docs/decisions/0042).

Each service is called with a token of the customer's that no other service accepts. The data are passed on page by
page: a customer may have thousands of orders.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from typing import Any, Literal

import httpx
import orjson
from pydantic import BaseModel, ValidationError

from chassis.http.request_spans import ServiceClient
from customer_svc.errors import ExportUnavailable

TIMEOUT_SECONDS = 5.0
"""For one page."""
PAGE_SIZE = 100

Part = Literal["orders", "notifications"]
SERVICES: Mapping[Part, str] = {"orders": "order_svc", "notifications": "notifier_svc"}
"""Part → the service that has it."""
TokenFor = Callable[[str], str]
"""Service → an access token for it alone."""
Pages = AsyncGenerator[list[dict[str, Any]], None]


class _Page(BaseModel):
    items: list[dict[str, Any]]
    next: str | int | None


class ExportClient:
    """The exports of order_svc and notifier_svc, whose REST APIs are at these URLs."""

    def __init__(self, order_url: str, notifier_url: str) -> None:
        self._clients: Mapping[Part, ServiceClient] = {
            "orders": ServiceClient(order_url, TIMEOUT_SECONDS),
            "notifications": ServiceClient(notifier_url, TIMEOUT_SECONDS),
        }

    async def merged(self, account: bytes, token_for: TokenFor) -> AsyncGenerator[bytes, None]:
        """The JSON object ``account`` with the parts of the other services added, in chunks.

        Raise ``ExportUnavailable``: before the first chunk unless every service has returned its first page, and
        later if one fails. What was yielded until then is not valid JSON.
        """
        async with AsyncExitStack() as stack:
            begun: list[tuple[Part, list[dict[str, Any]], Pages]] = []
            for part in self._clients:
                pages = await stack.enter_async_context(aclosing(self._pages(part, token_for(SERVICES[part]))))
                begun.append((part, await anext(pages), pages))
            yield account.removesuffix(b"}")
            for part, first, pages in begun:
                yield b',"%b":[%b' % (part.encode(), _list_items(first))
                async for page in pages:
                    yield b"," + _list_items(page)
                yield b"]"
            yield b"}"

    async def _pages(self, part: Part, token: str) -> Pages:
        page = await self._page(part, token, None)
        yield page.items
        while page.next is not None:
            page = await self._page(part, token, page.next)
            # Only the first page may be yielded if it is empty: the others follow a comma.
            if page.items:
                yield page.items

    async def _page(self, part: Part, token: str, before: str | int | None) -> _Page:
        # Processes of 0.2.0, which may be there still, know the cursor by this name only.
        query = {"limit": PAGE_SIZE} if before is None else {"limit": PAGE_SIZE, "before": before}
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await self._clients[part].get(f"/v1/exports/{part}", params=query, headers=headers)
            response.raise_for_status()
            return _Page.model_validate_json(response.content)
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            raise ExportUnavailable(part=part) from error

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            await client.aclose()


def _list_items(items: list[dict[str, Any]]) -> bytes:
    """The items of a JSON list, without its brackets."""
    return orjson.dumps(items)[1:-1]
