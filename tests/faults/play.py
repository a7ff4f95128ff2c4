"""Plays one cell: traffic, fault action, healing, settling, audit."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from tests.auditing import audited, lines
from tests.faults.matrix import Cell
from tests.faults.traffic import Traffic
from tests.faults.world import World

AROUND_SECONDS = 1.5
"""How long traffic runs before the first fault, and after the platform is healed."""


@dataclass(frozen=True)
class Outcome:
    """The result of a cell: what was done, how many orders were placed meanwhile, and what was wrong in the end."""

    cell: str
    done: Counter[str]
    orders: int
    mails_twice: int
    """Mails in doubt that were sent twice, which is counted and cannot be avoided."""
    seconds: float
    findings: tuple[str, ...]


async def play(world: World, cell: Cell, chance: random.Random) -> Outcome:
    """Play a cell; errors are findings of the outcome, and not raised."""
    started = time.monotonic()
    world.done.clear()
    findings: list[str] = []
    twice = orders = 0
    try:
        traffic = await Traffic.begin(world.shop, chance)
        try:
            await asyncio.sleep(AROUND_SECONDS)
            await cell.action(world)
        finally:
            try:
                await world.heal()
                await asyncio.sleep(AROUND_SECONDS)
            finally:
                await traffic.end()
            orders = traffic.orders
        twice = await traffic.settled()
        # Everything that happened on this platform so far.
        findings += lines(await audited(world.shop, world.servers["kafka"].url))
    except* Exception as errors:  # noqa: BLE001 - errors are the result
        findings += [f"{type(error).__name__}: {error}" for error in _leaves(errors)]
    return Outcome(cell.name, Counter(world.done), orders, twice, time.monotonic() - started, tuple(findings))


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        yield from _leaves(one) if isinstance(one, BaseExceptionGroup) else [one]


def read_outcome(line: bytes) -> Outcome:
    """Read an outcome from a line of JSON."""
    stored = orjson.loads(line)
    return Outcome(**{**stored, "done": Counter(stored["done"]), "findings": tuple(stored["findings"])})
