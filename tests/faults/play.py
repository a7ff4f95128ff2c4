"""Plays one cell: traffic, deed, healing, settling, audit."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from ops.audit import Shop, audit
from tests.faults.matrix import Cell
from tests.faults.traffic import Traffic
from tests.faults.world import FRONTS, OPS, World
from tests.stack import STAFF

AROUND_SECONDS = 1.5
"""For how long there is traffic before anything breaks, and after it is whole again."""


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: what was done, how much went on meanwhile, and what was wrong in the end."""

    cell: str
    done: Counter[str]
    orders: int
    mails_twice: int
    """Copies of mails that were in doubt, which is counted and cannot be helped."""
    seconds: float
    findings: tuple[str, ...]


async def play(world: World, cell: Cell, chance: random.Random) -> Outcome:
    """Play it; what goes wrong is in the outcome, and not raised."""
    began = time.monotonic()
    world.done.clear()
    findings: list[str] = []
    twice = orders = 0
    try:
        traffic = await Traffic.begin(world.shop, chance)
        try:
            await asyncio.sleep(AROUND_SECONDS)
            await cell.deed(world)
        finally:
            try:
                await world.heal()
                await asyncio.sleep(AROUND_SECONDS)
            finally:
                await traffic.end()
            orders = traffic.orders
        twice = await traffic.settled()
        findings += await audited(world)
    except* Exception as errors:  # noqa: BLE001 - what went wrong is what we are here for
        findings += [f"{type(error).__name__}: {error}" for error in _leaves(errors)]
    return Outcome(cell.name, Counter(world.done), orders, twice, time.monotonic() - began, tuple(findings))


async def audited(world: World) -> list[str]:
    """What the audit finds, of everything that happened on this platform so far."""

    async def headers() -> dict[str, str]:
        return await world.shop.log_in(OPS, STAFF[1])

    shop = Shop(
        **{name: world.shop.urls[name] for name in FRONTS},
        kafka=world.servers["kafka"].url,
        kafka_prefix=world.shop.commands["order"].env["KAFKA_PREFIX"],
    )
    found = (await audit(shop, headers, settle_seconds=0.0)).findings
    return [f"{one.check}: {one.subject}: {one.detail}" for one in found]


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        yield from _leaves(one) if isinstance(one, BaseExceptionGroup) else [one]


def read_outcome(line: bytes) -> Outcome:
    """An outcome as it was kept: a line of JSON."""
    kept = orjson.loads(line)
    return Outcome(**{**kept, "done": Counter(kept["done"]), "findings": tuple(kept["findings"])})
