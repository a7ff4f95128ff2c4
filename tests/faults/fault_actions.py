"""What the cells of the matrix do to the platform. Afterwards everything runs again, at the latest after ``heal``."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from deploy.local.processes import Child
from tests.faults.world import CONSUMERS, PROCESSES, REST_PROCESSES, SERVERS, WORKERS, World

Action = Callable[[World], Coroutine[Any, Any, None]]

HANG_SECONDS = 12.0
"""Longer than an idle transaction, the lease of a mail, or the lease of MongoDB's relay may last."""

LOST = {"postgres": b"COMMIT", "mongo": b"commitTransaction", "mail": b"\r\n.\r\n"}
"""The request whose response is lost: the commit of a transaction, the final dot of a mail."""

REACHED_BY = {
    "consumer": CONSUMERS,
    "stream": CONSUMERS,
    "relay": WORKERS,
    "groupcommit": ("customer", "product", "order", "notifier-worker"),
    "mail": ("notifier-worker",),
}
"""First word of a fail point → the processes that can reach it."""


def at(points: Sequence[str], action: str) -> Action:
    """Let all processes fail at once, each at those of these fail points that it can reach, one after the other."""
    return plan({name: [point for point in points if name in reached_by(point)] for name in PROCESSES}, action)


def plan(points: Mapping[str, Sequence[str]], action: str) -> Action:
    """Let processes fail at the same time, each at its own fail points, one after the other."""
    return lambda world: _together(_fail(world, name, at, action) for name, at in points.items() if at)


def repeated(times: int, action: Action) -> Action:
    """Do the same several times, under the same traffic."""

    async def actions(world: World) -> None:
        for _ in range(times):
            await action(world)

    return actions


def reached_by(point: str) -> Sequence[str]:
    """The processes that can reach a fail point."""
    return REACHED_BY[point.partition(".")[0]]


async def _fail(world: World, name: str, points: Sequence[str], action: str) -> None:
    await world.kill(name, number=signal.SIGTERM)
    for nth, point in enumerate(points):
        child = await world.shop.launch(name, FAILPOINTS=f"{point}={action}@{nth % 2 + 1}")
        await world.reached(child)
        await _wait_for_end(world, child, action)
        world.done[f"{action} at a fail point"] += 1
    await world.shop.start(name)


async def _wait_for_end(world: World, child: Child, action: str) -> None:
    """Wait until a process that failed has ended, or kill it."""
    if action in ("die", "term"):
        return await world.ended(child.name, signal.SIGKILL if action == "die" else signal.SIGTERM)
    # An error may end the process, or only a request or batch that is then retried.
    await asyncio.sleep(HANG_SECONDS if action == "hang" else 1)
    if child.running:
        await world.kill(child.name)
    return None


def signalled(number: int, names: Sequence[str] = PROCESSES) -> Action:
    """End processes with a signal, one after the other while the others run, and start each again."""

    async def action(world: World) -> None:
        for name in names:
            await world.kill(name, number=number)
            await world.shop.start(name)

    return action


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


def frozen(seconds: float) -> Action:
    """SIGSTOP every event process while another instance runs: both then believe that they are the leader."""

    async def action(world: World) -> None:
        for name in WORKERS:
            await world.start_another(name)
        await _stopped(world, WORKERS, seconds)
        await asyncio.sleep(5)

    return action


def rest_processes_frozen(seconds: float) -> Action:
    """SIGSTOP every REST process."""
    return lambda world: _stopped(world, REST_PROCESSES, seconds)


async def _stopped(world: World, names: Sequence[str], seconds: float) -> None:
    world.signal(signal.SIGSTOP, names)
    world.done["SIGSTOP"] += len(names)
    await asyncio.sleep(seconds)
    world.signal(signal.SIGCONT, names)


def joining_and_leaving(copies: int) -> Action:
    """Event processes join their groups in the middle of batches and leave, by SIGTERM and by SIGKILL."""

    async def action(world: World) -> None:
        started = [await world.start_another(name) for _ in range(copies) for name in CONSUMERS]
        await asyncio.sleep(2)
        for count, name in enumerate(started):
            await world.kill(name, number=(signal.SIGKILL, signal.SIGTERM)[count % 2])
            del world.shop.children[name]

    return action


def crashed(server: str, seconds: float = 3) -> Action:
    """SIGKILL a server, and start it again with the data on its disk."""

    async def action(world: World) -> None:
        await world.crash(server)
        await asyncio.sleep(seconds)
        await world.revive(server)

    return action


def restarted(server: str) -> Action:
    """Stop a server as an operator does, and start it again."""

    async def action(world: World) -> None:
        await asyncio.to_thread(world.servers[server].stop, 60)
        world.done["server stopped"] += 1
        await world.revive(server)

    return action


def paused(server: str, seconds: float = 8) -> Action:
    """SIGSTOP all the processes of a server for a while."""

    async def action(world: World) -> None:
        world.signal_server(server, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        world.signal_server(server, signal.SIGCONT)

    return action


def cut_off(server: str, seconds: float = 6) -> Action:
    """Reset the connections to a server and refuse new ones for a while."""

    async def action(world: World) -> None:
        await world.proxies[server].stop()
        await asyncio.sleep(seconds)
        await world.proxies[server].heal()

    return action


def flickering(server: str, times: int = 8) -> Action:
    """Reset the connections to a server repeatedly; new ones can be opened at once."""

    async def action(world: World) -> None:
        for _ in range(times):
            await asyncio.sleep(0.7)
            world.proxies[server].cut()

    return action


def half_closed(server: str, times: int = 3) -> Action:
    """Half close every connection: the server sends no more, but still receives."""

    async def action(world: World) -> None:
        for _ in range(times):
            await asyncio.sleep(1.5)
            world.proxies[server].half_close()

    return action


def slow(server: str, seconds: float = 8, delay: float = 0.2) -> Action:
    """Delay everything to and from a server."""

    async def action(world: World) -> None:
        world.proxies[server].delay = delay
        await asyncio.sleep(seconds)

    return action


def black_hole(server: str, seconds: float = 8) -> Action:
    """Drop everything to and from a server, on connections that stay open; then cut them."""

    async def action(world: World) -> None:
        world.proxies[server].black_hole = True
        await asyncio.sleep(seconds)

    return action


def responses_lost(*servers: str, times: int = 5) -> Action:
    """Lose the response to some commits, or final dots, of each server: done, but the client does not know."""

    async def lose(world: World, server: str) -> None:
        proxy = world.proxies[server]
        before = proxy.lost
        for _ in range(times):
            proxy.lose_responses(LOST[server], times=1)
            async with asyncio.timeout(60):
                while proxy.lost == before:
                    await asyncio.sleep(0.02)
            world.done["response lost"] += proxy.lost - before
            before = proxy.lost
            await asyncio.sleep(0.5)

    return lambda world: _together(lose(world, server) for server in servers)


async def _together(actions: Iterable[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for action in actions:
            tasks.create_task(action)
