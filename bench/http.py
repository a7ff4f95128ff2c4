"""A minimal HTTP/1.1 client, so that the load generator uses little CPU.

One request at a time over a persistent connection, for servers that send a Content-Length.
"""

import asyncio
import re
from typing import NamedTuple

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Response(NamedTuple):
    """A response; ``head`` is its status line and headers as received."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, or None."""
        found = re.search(rb"\r\n" + name.encode() + rb": *([^\r]*)", self.head, re.IGNORECASE)
        return found.group(1).decode() if found else None


class Connection(asyncio.Protocol):
    """A connection to one server."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: asyncio.Future[Response] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> "Connection":
        """Connect; raise ``OSError``."""
        _, made = await asyncio.get_running_loop().create_connection(cls, host, port)
        return made

    async def send(self, request: bytes) -> Response:
        """Send a request and return the response; raise ``ConnectionError`` if the server closes the connection."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Close the connection."""
        if self._transport:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """asyncio."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[: end + 2]
        length = _LENGTH.search(head)
        total = end + 4 + (int(length.group(1)) if length else 0)
        if len(self._buffer) >= total and self._waiting and not self._waiting.done():
            self._waiting.set_result(Response(int(head[9:12]), head, self._buffer[end + 4 : total]))
            self._buffer = self._buffer[total:]

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio."""
        if self._waiting and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError(str(exc or "the server closed the connection")))
