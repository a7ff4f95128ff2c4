"""Reads the ops APIs of the services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson

from ops.audit.report import CannotAudit, Headers

Line = dict[str, Any]

CHUNK = 1000
"""Lines that are handed on together."""


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

    async def lines(self, path: str) -> AsyncIterator[list[Line]]:
        """The lines of an NDJSON stream, some at a time; raise ``CannotAudit`` where it breaks off."""
        read, chunk = 0, []
        async with self._asked(path) as answer:
            async for text in answer.aiter_lines():
                line = orjson.loads(text)
                if line["kind"] == "end":
                    if line["lines"] != read + len(chunk):
                        raise CannotAudit(f"{self.name}: {self._url}{path} lost lines on its way")
                    yield chunk
                    return
                chunk.append(line)
                if len(chunk) >= CHUNK:
                    yield chunk
                    read, chunk = read + len(chunk), []
        raise CannotAudit(f"{self.name}: {self._url}{path} broke off after {read + len(chunk)} lines")

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


async def _told(answer: httpx.Response) -> str:
    try:
        return str(orjson.loads(await answer.aread())["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase
