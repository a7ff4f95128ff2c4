"""Group commit: requests that arrive while a transaction runs share the next one.

A request hands in a step and is answered after the commit that contains it. One committer a process, at its
``Pace``: a request that comes alone gets a transaction at once; those that come soon after a commit share the next,
which begins ``round_seconds`` after the one before, and after a rest as long as that took.

Source: D. DeWitt et al., *Implementation Techniques for Main Memory Database Systems*, 1984, §5.2.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import structlog

from chassis import faults
from chassis.database import Away, CommitUnknown, Conflict, Database
from chassis.errors import OutcomeUnknown, Unavailable
from chassis.pace import Pace
from chassis.telemetry import BATCH_SECONDS, BATCH_SIZE, RETRIES, trace
from chassis.unit import Step, Unit

U = TypeVar("U", bound=Unit)
R = TypeVar("R")

log = structlog.get_logger()


class GroupCommit(Generic[U]):
    """The write side of a REST process; ``open_unit`` makes a service's unit for a moment in time."""

    def __init__(
        self,
        database: Database[Any],
        open_unit: Callable[[datetime], U],
        *,
        limit: int = 256,
        tries: int = 10,
        round_seconds: float = 0.0,
    ) -> None:
        self._database, self._open_unit = database, open_unit
        self._limit, self._tries, self._pace = limit, tries, Pace(round_seconds)
        self._waiting: deque[tuple[Step[U, Any], asyncio.Future[Any]]] = deque()
        self._arrived = asyncio.Event()

    async def __call__(self, decide: Callable[[U], R], wants: Callable[[U], None]) -> R:
        """Run ``decide`` in the next transaction and return its result once that has committed.

        Whatever ``decide`` raises is raised here, and then nothing of it was stored. ``Unavailable``: the
        store is away, nothing was stored. ``OutcomeUnknown``: it went away during the commit.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((Step(wants, decide, trace=trace.get()), future))
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Commit group after group, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                async with self._pace:
                    taken = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
                    # A client that has gone away before its turn changes nothing.
                    group = [(step, future) for step, future in taken if not future.cancelled()]
                    if group:
                        await self._settle(group)

    async def _settle(self, group: Sequence[tuple[Step[U, Any], asyncio.Future[Any]]]) -> None:
        try:
            results = await self._commit([step for step, _ in group])
        except CommitUnknown:
            results = [OutcomeUnknown()] * len(group)
        except Away:
            results = [Unavailable()] * len(group)
        except Exception as error:  # noqa: BLE001 - belongs to one of the requests, and is raised there
            if len(group) > 1:
                # Somebody's row broke the statement for all: find out whose, one by one.
                RETRIES.labels("rest", type(error).__name__).inc()
                for one in group:
                    await self._settle([one])
                return
            results = [error]
        for (_, future), result in zip(group, results, strict=True):
            _answer(future, result)

    async def _commit(self, steps: Sequence[Step[U, Any]]) -> list[Any]:
        for attempt in range(1, self._tries + 1):
            try:
                with BATCH_SECONDS.labels("rest").time():
                    return await self._transact(steps)
            except Conflict as conflict:
                RETRIES.labels("rest", "conflict").inc()
                log.debug("conflict", attempt=attempt, why=str(conflict)[:200])
                if attempt == self._tries:
                    raise Unavailable("Too many others change this at the moment; try again.") from conflict
                await asyncio.sleep(0.002 * attempt)
        raise AssertionError("unreachable")

    async def _transact(self, steps: Sequence[Step[U, Any]]) -> list[Any]:
        BATCH_SIZE.labels("rest").observe(len(steps))
        unit = self._open_unit(datetime.now(UTC))
        for step in steps:
            step.wants(unit)
        async with self._database.transaction() as tx:
            await unit.load(tx)
            results = [_decided(unit, step) for step in steps]
            await unit.save(tx)
            await self._database.publish(tx, unit.outbox.added)
            await self._database.empty(tx, unit.erased.added)
            if faults.armed:
                await faults.reach("groupcommit.commit.before")
        if faults.armed:
            await faults.reach("groupcommit.commit.after")
        return results


def _decided(unit: U, step: Step[U, Any]) -> Any:
    try:
        return unit.decide(step)
    except Exception as error:  # noqa: BLE001 - belongs to the one request, and is raised there
        return error


def _answer(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
