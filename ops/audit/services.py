"""Reads the ops APIs of the services."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson

from ops.audit.report import CannotAudit, Headers

Line = dict[str, Any]

SILENCE_SECONDS = 60.0
"""A service that says nothing for so long is taken to be away."""


class Service:
    """One service's ops API."""

    def __init__(self, client: httpx.AsyncClient, name: str, url: str, headers: Headers) -> None:
        self.name = name
        self._client, self._url, self._headers = client, url.rstrip("/"), headers

    async def summary(self) -> Line:
        """Who it is, what it handles, what waits in it."""
        async with self._asked("/v1/ops/summary") as answer:
            summary: Line = orjson.loads(await answer.aread())
            return summary

    async def lines(self, path: str) -> AsyncGenerator[list[Line], None]:
        """The lines of an NDJSON stream, some at a time; raise ``CannotAudit`` where it breaks off."""
        read = 0
        async with self._asked(path) as answer:
            async for lines in _parsed(answer):
                if lines[-1]["kind"] != "end":
                    yield lines
                    read += len(lines)
                    continue
                end = lines.pop()
                read += len(lines)
                if end["lines"] != read:
                    raise CannotAudit(f"{self.name}: {self._url}{path} said {end['lines']} lines, {read} arrived")
                yield lines
                return
        raise CannotAudit(f"{self.name}: {self._url}{path} broke off after {read} lines")

    @asynccontextmanager
    async def _asked(self, path: str) -> AsyncIterator[httpx.Response]:
        url = f"{self._url}{path}"
        try:
            async with self._client.stream("GET", url, headers=dict(await self._headers())) as answer:
                if answer.status_code != 200:
                    raise CannotAudit(f"{self.name}: {url} answered {answer.status_code}: {await _told(answer)}")
                yield answer
        except httpx.HTTPError as error:
            raise CannotAudit(f"{self.name}: {url} cannot be read: {str(error) or type(error).__name__}") from error


def client() -> httpx.AsyncClient:
    """A client for all services."""
    return httpx.AsyncClient(timeout=SILENCE_SECONDS, trust_env=False)


async def _parsed(answer: httpx.Response) -> AsyncIterator[list[Line]]:
    # Not aiter_lines: a line of NDJSON may hold U+2028, at which text is split too.
    rest = b""
    async for piece in answer.aiter_bytes():
        whole, newline, rest = (rest + piece).rpartition(b"\n")
        if newline:
            yield orjson.loads(b"[" + whole.replace(b"\n", b",") + b"]")


async def _told(answer: httpx.Response) -> str:
    try:
        return str(orjson.loads(await answer.aread())["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
