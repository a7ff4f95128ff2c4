"""The proxy does what it says: otherwise the matrix would prove nothing."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.faults.proxy import Proxy

Connected = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Connected]]


class Echo:
    """A server that answers each line with the same line, and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.heard.append(line)
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
    """Makes connections to the proxy."""
    made: list[Connected] = []

    async def one() -> Connected:
        made.append(await asyncio.open_connection(proxy.host, proxy.listen_port))
        return made[-1]

    yield one
    for _, writer in made:
        writer.transport.abort()


async def said(connected: Connected, line: bytes) -> bytes:
    """The answer to a line; empty when there is none, ``reset`` when the connection is."""
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


async def test_it_passes_everything(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    large = b"x" * 60_000 + b"\n"
    assert await said(connected, large) == large


async def test_it_is_late(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    proxy.delay = 0.1
    began = time.monotonic()
    assert await said(connected, b"a\n") == b"a\n"
    assert time.monotonic() - began >= 0.2


async def test_it_cuts_what_is_there_and_takes_what_comes(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    await said(connected, b"a\n")
    proxy.cut()
    assert await said(connected, b"b\n") in (b"reset", b"")
    assert await said(await connect(), b"c\n") == b"c\n"


async def test_it_refuses_until_healed_and_keeps_its_port(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    await said(connected, b"a\n")
    await proxy.stop()
    assert await said(connected, b"b\n") in (b"reset", b"")
    with pytest.raises(ConnectionRefusedError):
        await connect()
    await proxy.heal()
    assert await said(await connect(), b"c\n") == b"c\n"


async def test_a_black_hole_swallows_both_ways(proxy: Proxy, echo: Echo, connect: Connect) -> None:
    before = await connect()
    await said(before, b"a\n")
    proxy.held = True
    inside = await connect()
    assert [await said(before, b"b\n"), await said(inside, b"c\n")] == [b"silence", b"silence"]
    assert echo.heard == [b"a\n"]
    await proxy.heal()
    assert await said(before, b"d\n") in (b"reset", b"")
    assert await said(await connect(), b"e\n") == b"e\n"
    assert echo.heard == [b"a\n", b"e\n"]


async def test_a_connection_that_said_nothing_in_the_black_hole_lives_on(proxy: Proxy, connect: Connect) -> None:
    connected = await connect()
    await said(connected, b"a\n")
    proxy.held = True
    await proxy.heal()
    assert await said(connected, b"b\n") == b"b\n"


async def test_half_closed_the_server_still_hears(proxy: Proxy, echo: Echo, connect: Connect) -> None:
    connected = await connect()
    await said(connected, b"a\n")
    proxy.half_close()
    assert await said(connected, b"b\n") == b""
    async with asyncio.timeout(5):
        while echo.heard != [b"a\n", b"b\n"]:
            await asyncio.sleep(0.01)


async def test_an_answer_is_lost_and_what_was_asked_is_done(proxy: Proxy, echo: Echo, connect: Connect) -> None:
    proxy.lose_answers(b"COMMIT", times=1)
    connected = await connect()
    assert await said(connected, b"BEGIN\n") == b"BEGIN\n"
    # In two pieces: a pattern does not care where TCP parts it.
    connected[1].write(b"COM")
    await asyncio.sleep(0.05)
    assert await said(connected, b"MIT\n") in (b"reset", b"")
    assert echo.heard == [b"BEGIN\n", b"COMMIT\n"]
    assert proxy.lost == 1
    assert await said(await connect(), b"COMMIT\n") == b"COMMIT\n"
