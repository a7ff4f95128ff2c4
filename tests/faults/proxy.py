"""A TCP proxy in front of a server that can delay, cut, half close or drop what passes.

Every fault applies to all connections. ``heal`` ends all faults, and cuts every connection of which something was
dropped, since in a real network no connection goes on with a gap.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

CHUNK = 64 * 1024
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with zero seconds: closing resets the connection (RST)."""


@dataclass(eq=False)
class Connection:
    """A connection of a client to the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    incomplete: bool = False
    """Something was dropped."""
    loses_response: bool = False
    """The next response is lost, and the connection with it."""

    def cut(self) -> None:
        """Reset it at both ends, as a crash does."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.transport.abort()


@dataclass
class Proxy:
    """A proxy for ``host:port`` that listens on ``listen_port`` of the same host (a free port if 0)."""

    host: str
    port: int
    listen_port: int = 0
    delay: float = 0.0
    """Seconds by which data are delayed, in both directions."""
    black_hole: bool = False
    """Connections are accepted, but all data are dropped."""
    lost: int = 0
    """The number of responses lost on purpose so far."""
    _pattern: bytes = b""
    _to_lose: int = 0
    _connections: set[Connection] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _listener: asyncio.Server | None = None

    @property
    def address(self) -> str:
        """``host:port`` for clients."""
        return f"{self.host}:{self.listen_port}"

    async def start(self) -> None:
        """Accept connections."""
        if self._listener is None:
            self._listener = await asyncio.start_server(self._accept, self.host, self.listen_port, limit=CHUNK)
            self.listen_port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on, and cut the open ones."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.cut()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def heal(self) -> None:
        """End all faults, and cut incomplete connections."""
        self.delay, self.black_hole, self._to_lose = 0.0, False, 0
        for connection in [connection for connection in self._connections if connection.incomplete]:
            connection.cut()
        await self.start()

    def cut(self) -> None:
        """Reset every connection; new ones can be opened."""
        for connection in list(self._connections):
            connection.cut()

    def half_close(self) -> None:
        """Send EOF to every client, and drop everything that the server still sends."""
        for connection in self._connections:
            connection.incomplete = True
            with suppress(OSError, RuntimeError):
                connection.client.write_eof()

    def passes(self, connection: Connection, size: int, *, to_server: bool) -> None:
        """So many bytes are forwarded; for those who count them."""

    def lose_responses(self, pattern: bytes, times: int) -> None:
        """So many times, forward a request that contains ``pattern``, and lose the response to it."""
        self._pattern, self._to_lose = pattern, times

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(self.host, self.port, limit=CHUNK)
        except OSError:
            writer.transport.abort()
            return
        connection = Connection(writer, server_writer)
        self._connections.add(connection)
        task = asyncio.create_task(self._serve(connection, reader, server_reader))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, connection: Connection, from_client: asyncio.StreamReader, from_server: asyncio.StreamReader
    ) -> None:
        try:
            await asyncio.gather(
                self._forward_requests(connection, from_client), self._forward_responses(connection, from_server)
            )
        except OSError:
            # One end has closed the connection.
            pass
        finally:
            connection.cut()
            self._connections.discard(connection)

    async def _forward_requests(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        """Forward what the client sends."""
        tail = b""
        while chunk := await reader.read(CHUNK):
            if await self._dropped(connection):
                continue
            if self._to_lose and not connection.loses_response:
                seen = tail + chunk
                tail = seen[len(seen) - len(self._pattern) + 1 :]
                if self._pattern in seen:
                    self._to_lose -= 1
                    connection.loses_response = connection.incomplete = True
            self.passes(connection, len(chunk), to_server=True)
            connection.server.write(chunk)
            await connection.server.drain()
        connection.server.write_eof()

    async def _forward_responses(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        """Forward what the server sends."""
        while chunk := await reader.read(CHUNK):
            if connection.loses_response:
                # The server has executed the request, but the client gets no response.
                self.lost += 1
                connection.cut()
                return
            if await self._dropped(connection) or connection.incomplete:
                continue
            self.passes(connection, len(chunk), to_server=False)
            connection.client.write(chunk)
            await connection.client.drain()
        if not connection.incomplete:
            connection.client.write_eof()

    async def _dropped(self, connection: Connection) -> bool:
        """Apply the delay; return whether the data are dropped."""
        if self.delay:
            await asyncio.sleep(self.delay)
        connection.incomplete = connection.incomplete or self.black_hole
        return self.black_hole
