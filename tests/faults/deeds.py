"""What a cell of the matrix does to the platform, in verbs. Each leaves everything running, or ``heal`` does."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from deploy.local.processes import Child
from tests.faults.world import CONSUMERS, FRONTS, PROCESSES, SERVERS, WORKERS, World

Deed = Callable[[World], Coroutine[Any, Any, None]]

HANG_SECONDS = 12.0
"""Longer than a transaction may idle, and than a mail or the relay of MongoDB may be held."""

LOST = {"postgres": b"COMMIT", "mongo": b"commitTransaction", "mail": b"\r\n.\r\n"}
"""What the answer is lost to: the commit of a transaction, the final dot of a mail."""

REACHED_BY = {
    "consumer": CONSUMERS,
    "stream": CONSUMERS,
    "relay": WORKERS,
    "groupcommit": ("customer", "product", "order", "notifier-worker"),
    "mail": ("notifier-worker",),
}
"""First word of a fault point → the processes that come to it."""


def at(points: Sequence[str], action: str) -> Deed:
    """Let every process that comes to these fault points fail there, at one after the other, all at the same time."""
    return plan({name: [point for point in points if name in comes_to(point)] for name in PROCESSES}, action)


def plan(points: Mapping[str, Sequence[str]], action: str) -> Deed:
    """Let processes fail, each at its own fault points, all at the same time."""
    return lambda world: _together(_fail(world, name, at, action) for name, at in points.items() if at)


def comes_to(point: str) -> Sequence[str]:
    """The processes that come to a fault point."""
    return REACHED_BY[point.partition(".")[0]]


async def _fail(world: World, name: str, points: Sequence[str], action: str) -> None:
    await world.kill(name, number=signal.SIGTERM)
    for nth, point in enumerate(points):
        child = await world.shop.launch(name, FAILPOINTS=f"{point}={action}@{nth % 2 + 1}")
        await world.reached(child)
        await _end_of(world, child, action)
        world.done[f"{action} at a fault point"] += 1
    await world.shop.start(name)


async def _end_of(world: World, child: Child, action: str) -> None:
    """A process that failed is gone, by itself or because it is killed."""
    if action in ("die", "term"):
        return await world.ended(child.name, signal.SIGKILL if action == "die" else signal.SIGTERM)
    # An error may end the process, or cost a single request or batch that is then tried again.
    await asyncio.sleep(HANG_SECONDS if action == "hang" else 1)
    if child.running:
        await world.kill(child.name)
    return None


def ended(number: int, names: Sequence[str] = PROCESSES) -> Deed:
    """Signal processes one after the other, while the others run, and start each again."""

    async def deed(world: World) -> None:
        for name in names:
            await world.kill(name, number=number)
            await world.shop.start(name)

    return deed


async def all_killed(world: World) -> None:
    """SIGKILL all processes at the same moment, and start them all."""
    await world.kill(*PROCESSES)
    await world.shop.start(*PROCESSES)


async def power_cut(world: World) -> None:
    """SIGKILL all processes and all servers at the same moment, and start them all."""
    world.signal(signal.SIGKILL, PROCESSES)
    await _together(world.crash(name) for name in SERVERS)
    for name in PROCESSES:
        await world.ended(name, signal.SIGKILL)
    await world.revive(*SERVERS)
    await world.shop.start(*PROCESSES)


def frozen(seconds: float) -> Deed:
    """SIGSTOP every event process while a second of its kind runs: two then believe that they lead."""

    async def deed(world: World) -> None:
        for name in WORKERS:
            await world.one_more(name)
        await _stopped(world, WORKERS, seconds)
        await asyncio.sleep(5)

    return deed


def fronts_frozen(seconds: float) -> Deed:
    """SIGSTOP every REST front."""
    return lambda world: _stopped(world, FRONTS, seconds)


async def _stopped(world: World, names: Sequence[str], seconds: float) -> None:
    world.signal(signal.SIGSTOP, names)
    world.done["SIGSTOP"] += len(names)
    await asyncio.sleep(seconds)
    world.signal(signal.SIGCONT, names)


def joining_and_leaving(copies: int) -> Deed:
    """Event processes join their groups in the middle of batches, and leave: politely, and not."""

    async def deed(world: World) -> None:
        started = [await world.one_more(name) for _ in range(copies) for name in CONSUMERS]
        await asyncio.sleep(2)
        for count, name in enumerate(started):
            await world.kill(name, number=(signal.SIGKILL, signal.SIGTERM)[count % 2])
            del world.shop.children[name]

    return deed


def crashed(server: str, seconds: float = 3) -> Deed:
    """SIGKILL a server, and start it again on what it had on disk."""

    async def deed(world: World) -> None:
        await world.crash(server)
        await asyncio.sleep(seconds)
        await world.revive(server)

    return deed


def restarted(server: str) -> Deed:
    """Stop a server as an operator does, and start it again."""

    async def deed(world: World) -> None:
        await asyncio.to_thread(world.servers[server].stop, 60)
        world.done["server stopped"] += 1
        await world.revive(server)

    return deed


def paused(server: str, seconds: float = 8) -> Deed:
    """SIGSTOP all the processes of a server for a while."""

    async def deed(world: World) -> None:
        world.signal_server(server, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        world.signal_server(server, signal.SIGCONT)

    return deed


def cut_off(server: str, seconds: float = 6) -> Deed:
    """Reset the connections to a server and refuse new ones for a while."""

    async def deed(world: World) -> None:
        await world.proxies[server].stop()
        await asyncio.sleep(seconds)
        await world.proxies[server].heal()

    return deed


def flickering(server: str, times: int = 8) -> Deed:
    """Reset the connections to a server again and again; new ones may be made at once."""

    async def deed(world: World) -> None:
        for _ in range(times):
            await asyncio.sleep(0.7)
            world.proxies[server].cut()

    return deed


def half_closed(server: str, times: int = 3) -> Deed:
    """Say on every connection that the server has no more to say, while it still listens."""

    async def deed(world: World) -> None:
        for _ in range(times):
            await asyncio.sleep(1.5)
            world.proxies[server].half_close()

    return deed


def slow(server: str, seconds: float = 8, delay: float = 0.2) -> Deed:
    """Let everything to and from a server come later."""

    async def deed(world: World) -> None:
        world.proxies[server].delay = delay
        await asyncio.sleep(seconds)

    return deed


def black_hole(server: str, seconds: float = 8) -> Deed:
    """Let everything to and from a server vanish, on connections that stay open; then cut them."""

    async def deed(world: World) -> None:
        world.proxies[server].held = True
        await asyncio.sleep(seconds)

    return deed


def answers_lost(*servers: str, times: int = 5) -> Deed:
    """Lose the answer to so many commits, or final dots, of each server: done, and nobody knows."""

    async def lose(world: World, server: str) -> None:
        proxy = world.proxies[server]
        before = proxy.lost
        for _ in range(times):
            proxy.lose_answers(LOST[server], times=1)
            async with asyncio.timeout(60):
                while proxy.lost == before:
                    await asyncio.sleep(0.02)
            world.done["answer lost"] += proxy.lost - before
            before = proxy.lost
            await asyncio.sleep(0.5)

    return lambda world: _together(lose(world, server) for server in servers)


async def _together(deeds: Iterable[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for deed in deeds:
            tasks.create_task(deed)
