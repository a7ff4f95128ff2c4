"""The proxy works: otherwise the matrix would prove nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.faults.proxy import Proxy

Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Connected]]


class Echo:
    """A server that returns each line, and keeps what it received."""

    def __init__(self) -> None:
        self.received: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.received.append(line)
                writer.write(line)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    made = Proxy("127.0.0.1", server.sockets[0].getsockname()[1])
    await made.start()
    yield made
    await made.stop()
    server.close()


@pytest.fixture
async def connect(proxy: Proxy) -> AsyncIterator[Callable[[], Awaitable[Connected]]]:
    """Opens connections to the proxy."""
    made: list[Connected] = []

    async def one() -> Connected:
        made.append(await asyncio.open_connection(proxy.host, proxy.listen_port))
        return made[-1]

    yield one
    for _, writer in made:
        writer.transport.abort()


async def send_line(connected: Connected, line: bytes) -> bytes:
    """The response to a line; ``silence`` if there is none, ``reset`` if the connection is reset."""
    reader, writer = connected
    try:
        writer.write(line)
        await writer.drain()
        async with asyncio.timeout(0.5):
            return await reader.readline()
    except TimeoutError:
        return b"silence"
    except ConnectionError:
        return b"reset"


async def test_it_forwards_everything(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    large = b"x" * 60_000 + b"\n"
    assert await send_line(connected, large) == large


async def test_it_delays(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    proxy.delay = 0.1
    began = time.monotonic()
    assert await send_line(connected, b"a\n") == b"a\n"
    assert time.monotonic() - began >= 0.2


async def test_it_cuts_open_connections_and_accepts_new_ones(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    await send_line(connected, b"a\n")
    proxy.cut()
    assert await send_line(connected, b"b\n") in (b"reset", b"")
    assert await send_line(await connect(), b"c\n") == b"c\n"


async def test_it_refuses_connections_until_healed_and_keeps_its_port(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    await send_line(connected, b"a\n")
    await proxy.stop()
    assert await send_line(connected, b"b\n") in (b"reset", b"")
    with pytest.raises(ConnectionRefusedError):
        await connect()
    await proxy.heal()
    assert await send_line(await connect(), b"c\n") == b"c\n"


async def test_a_black_hole_drops_both_directions(proxy: Proxy, echo: Echo, connect: Connect) -> None:
    before = await connect()
    await send_line(before, b"a\n")
    proxy.black_hole = True
    inside = await connect()
    assert [await send_line(before, b"b\n"), await send_line(inside, b"c\n")] == [b"silence", b"silence"]
    assert echo.received == [b"a\n"]
    await proxy.heal()
    assert await send_line(before, b"d\n") in (b"reset", b"")
    assert await send_line(await connect(), b"e\n") == b"e\n"
    assert echo.received == [b"a\n", b"e\n"]


async def test_a_connection_that_was_idle_in_the_black_hole_lives_on(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    await send_line(connected, b"a\n")
    proxy.black_hole = True
    await proxy.heal()
    assert await send_line(connected, b"b\n") == b"b\n"


async def test_half_closed_the_server_still_receives(proxy: Proxy, echo: Echo, connect: Connect) -> None:
    connected = await connect()
    await send_line(connected, b"a\n")
    proxy.half_close()
    assert await send_line(connected, b"b\n") == b""
    async with asyncio.timeout(5):
        while echo.received != [b"a\n", b"b\n"]:
            await asyncio.sleep(0.01)


async def test_a_response_is_lost_although_the_request_is_executed(
    proxy: Proxy, echo: Echo, connect: Connect
) -> None:
    proxy.lose_responses(b"COMMIT", times=1)
    connected = await connect()
    assert await send_line(connected, b"BEGIN\n") == b"BEGIN\n"
    # In two segments: the pattern must be found across them.
    connected[1].write(b"COM")
    await asyncio.sleep(0.05)
    assert await send_line(connected, b"MIT\n") in (b"reset", b"")
    assert echo.received == [b"BEGIN\n", b"COMMIT\n"]
    assert proxy.lost == 1
    assert await send_line(await connect(), b"COMMIT\n") == b"COMMIT\n"
