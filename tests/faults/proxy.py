"""A TCP proxy that stands in front of a server and spoils what passes: late, cut, half closed, held, lost.

What it does to connections it does to all of them at once. ``heal`` brings it back to passing everything,
and cuts every connection of which something was held back or dropped: no real network leaves a hole in one.
"""

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field

CHUNK = 64 * 1024
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of nothing: to close is to reset (RST)."""


@dataclass(eq=False)
class Connection:
    """A client, the server, and what became of what they said."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    spoiled: bool = False
    """Something of it did not arrive."""
    deaf: bool = False
    """The client's next answer is lost, and the connection with it."""

    def cut(self) -> None:
        """End it at once, at both ends, as a crash does."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            end.transport.abort()


@dataclass
class Proxy:
    """In front of ``host:port``; itself on ``listen_port`` of the same host, a free one if 0."""

    host: str
    port: int
    listen_port: int = 0
    delay: float = 0.0
    """Seconds by which each piece of data comes later, in both directions."""
    held: bool = False
    """A black hole: connections are accepted, and whatever is said vanishes."""
    lost: int = 0
    """Answers that were lost on purpose so far."""
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
        """Refuse connections from now on, and cut those that are there."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        self.cut()
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def heal(self) -> None:
        """Pass everything again, on connections without a hole."""
        self.delay, self.held, self._to_lose = 0.0, False, 0
        for one in [one for one in self._connections if one.spoiled]:
            one.cut()
        await self.start()

    def cut(self) -> None:
        """Reset every connection; new ones may be made."""
        for one in list(self._connections):
            one.cut()

    def half_close(self) -> None:
        """Tell every client that the server has nothing more to say, and lose what it says all the same."""
        for one in self._connections:
            one.spoiled = True
            with suppress(OSError, RuntimeError):
                one.client.write_eof()

    def lose_answers(self, pattern: bytes, times: int) -> None:
        """So often, on one connection after another: pass on what holds ``pattern``, and lose the answer to it."""
        self._pattern, self._to_lose = pattern, times

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            server_reader, server_writer = await asyncio.open_connection(self.host, self.port, limit=CHUNK)
        except OSError:
            writer.transport.abort()
            return
        one = Connection(writer, server_writer)
        self._connections.add(one)
        task = asyncio.create_task(self._serve(one, reader, server_reader))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, one: Connection, from_client: asyncio.StreamReader, from_server: asyncio.StreamReader
    ) -> None:
        try:
            await asyncio.gather(self._forth(one, from_client), self._back(one, from_server))
        except OSError:
            # One end has gone: so has the connection.
            pass
        finally:
            one.cut()
            self._connections.discard(one)

    async def _forth(self, one: Connection, reader: asyncio.StreamReader) -> None:
        """What the client says."""
        tail = b""
        while chunk := await reader.read(CHUNK):
            if await self._vanishes(one):
                continue
            if self._to_lose and not one.deaf:
                seen = tail + chunk
                tail = seen[len(seen) - len(self._pattern) + 1 :]
                if self._pattern in seen:
                    self._to_lose -= 1
                    one.deaf = one.spoiled = True
            one.server.write(chunk)
            await one.server.drain()
        one.server.write_eof()

    async def _back(self, one: Connection, reader: asyncio.StreamReader) -> None:
        """What the server answers."""
        while chunk := await reader.read(CHUNK):
            if one.deaf:
                # The server has done what it was asked for, and nobody will hear of it.
                self.lost += 1
                one.cut()
                return
            if await self._vanishes(one) or one.spoiled:
                continue
            one.client.write(chunk)
            await one.client.drain()
        if not one.spoiled:
            one.client.write_eof()

    async def _vanishes(self, one: Connection) -> bool:
        if self.delay:
            await asyncio.sleep(self.delay)
        one.spoiled = one.spoiled or self.held
        return self.held
