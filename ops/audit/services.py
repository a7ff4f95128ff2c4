"""Reads the ops APIs of the services."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson

from ops.audit.report import Headers
from ops.errors import CannotDo

Line = dict[str, Any]

SILENCE_SECONDS = 60.0
"""A service that sends nothing for so long counts as unreachable."""


class Service:
    """One service's ops API."""

    def __init__(self, client: httpx.AsyncClient, name: str, url: str, headers: Headers) -> None:
        self.name = name
        self._client, self._url, self._headers = client, url.rstrip("/"), headers

    async def summary(self) -> Line:
        """The name of the service, the events it handles, and how many wait in it."""
        async with self._get("/v1/ops/summary") as response:
            summary: Line = orjson.loads(await response.aread())
            return summary

    async def lines(self, path: str) -> AsyncGenerator[list[Line], None]:
        """The lines of an NDJSON stream, in batches; raise ``CannotDo`` if it is cut short."""
        read = 0
        async with self._get(path) as response:
            async for lines in _parsed(response):
                if lines[-1]["kind"] != "end":
                    yield lines
                    read += len(lines)
                    continue
                end = lines.pop()
                read += len(lines)
                if end["lines"] != read:
                    raise CannotDo(f"{self.name}: {self._url}{path} announced {end['lines']} lines, {read} arrived")
                yield lines
                return
        raise CannotDo(f"{self.name}: {self._url}{path} was cut short after {read} lines")

    @asynccontextmanager
    async def _get(self, path: str) -> AsyncIterator[httpx.Response]:
        url = f"{self._url}{path}"
        try:
            async with self._client.stream("GET", url, headers=dict(await self._headers())) as response:
                if response.status_code != 200:
                    raise CannotDo(f"{self.name}: {url} responded {response.status_code}: {await _detail(response)}")
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CannotDo(f"{self.name}: {url} cannot be read: {str(error) or type(error).__name__}") from error


def client() -> httpx.AsyncClient:
    """An HTTP client for all services."""
    # Ledgers are long, and the network is short: to compress them would cost the services more than to send them.
    return httpx.AsyncClient(timeout=SILENCE_SECONDS, trust_env=False, headers={"Accept-Encoding": "identity"})


async def _parsed(response: httpx.Response) -> AsyncIterator[list[Line]]:
    # Not aiter_lines: it also splits at U+2028, which a line of NDJSON may contain.
    rest = b""
    async for chunk in response.aiter_bytes():
        whole, newline, rest = (rest + chunk).rpartition(b"\n")
        if newline:
            yield orjson.loads(b"[" + whole.replace(b"\n", b",") + b"]")


async def _detail(response: httpx.Response) -> str:
    try:
        return str(orjson.loads(await response.aread())["detail"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase
