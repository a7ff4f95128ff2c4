"""Group commit: requests that arrive while a transaction runs share the next one.

A request submits a command and gets its result after the commit that contains it. There is one committer a process,
and it follows a ``BatchPacer``: a request that comes alone gets a transaction at once; those that come soon after a
commit share the next, which begins ``round_seconds`` after the one before, and after a rest as long as that took.
After a transaction of ``ENOUGH`` commands, the next begins at once: so many share it anyhow.

Source: D. DeWitt et al., *Implementation Techniques for Main Memory Database Systems*, 1984, §5.2.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from chassis.http.errors import OutcomeUnknown, Unavailable
from chassis.persistence.command import Command
from chassis.persistence.database import TransactionalStore
from chassis.persistence.errors import CommitOutcomeUnknown, ConcurrentUpdate, DatabaseUnavailable
from chassis.persistence.transaction_runner import Submission, TransactionRunner
from chassis.persistence.unit_of_work import UnitOfWork
from chassis.runtime.batch_pacing import BatchPacer
from chassis.runtime.telemetry import RETRIES, trace

U = TypeVar("U", bound=UnitOfWork)
R = TypeVar("R")

log = structlog.get_logger()

REST_TIMES = 1.0
"""Half of that of other loops: somebody waits for the response, and the clients of a busy front fill the next one."""
ENOUGH = 16
"""Commands that share the cost of a transaction well."""


class GroupCommit(Generic[U]):
    """The write side of a process; ``new_uow`` makes a service's unit of work for a moment in time."""

    def __init__(
        self,
        database: TransactionalStore[Any],
        new_uow: Callable[[datetime], U],
        *,
        limit: int = 256,
        tries: int = 10,
        round_seconds: float = 0.0,
    ) -> None:
        self._runner = TransactionRunner(database, new_uow, feed="rest", point="groupcommit")
        self._limit, self._tries, self._pacer = limit, tries, BatchPacer(round_seconds, REST_TIMES)
        self._waiting: deque[tuple[Submission[U, Any], asyncio.Future[Any]]] = deque()
        self._arrived = asyncio.Event()

    async def __call__(self, command: Command[U, R]) -> R:
        """Execute a command in the next transaction and return its result once that has committed.

        Whatever the command raises is raised here, and then nothing of it was stored. ``Unavailable``: the
        database is unavailable, nothing was stored. ``OutcomeUnknown``: the connection broke during the commit.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((Submission(command, trace=trace.get()), future))
        self._arrived.set()
        return await future

    async def run(self) -> None:
        """Commit group after group, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                async with self._pacer:
                    taken = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
                    self._pacer.full = len(taken) >= ENOUGH
                    # A client that disconnected before its turn changes nothing.
                    group = [(submission, future) for submission, future in taken if not future.cancelled()]
                    if group:
                        await self._settle(group)

    async def _settle(self, group: Sequence[tuple[Submission[U, Any], asyncio.Future[Any]]]) -> None:
        try:
            results = await self._commit([submission for submission, _ in group])
        except CommitOutcomeUnknown:
            results = [OutcomeUnknown()] * len(group)
        except DatabaseUnavailable:
            results = [Unavailable()] * len(group)
        except Exception as error:  # noqa: BLE001 - belongs to one of the requests, and is raised there
            if len(group) > 1:
                # One command's row broke the statement for all: find out which, one by one.
                RETRIES.labels("rest", type(error).__name__).inc()
                for one in group:
                    await self._settle([one])
                return
            results = [error]
        for (_, future), result in zip(group, results, strict=True):
            _resolve(future, result)

    async def _commit(self, submissions: Sequence[Submission[U, Any]]) -> list[Any]:
        for attempt in range(1, self._tries + 1):
            try:
                return await self._transact(submissions)
            except ConcurrentUpdate as conflict:
                RETRIES.labels("rest", "conflict").inc()
                log.debug("conflict", attempt=attempt, why=str(conflict)[:200])
                if attempt == self._tries:
                    raise Unavailable("Too many concurrent changes to the same data; try again.") from conflict
                await asyncio.sleep(0.002 * attempt)
        raise AssertionError("unreachable")

    async def _transact(self, submissions: Sequence[Submission[U, Any]]) -> list[Any]:
        async with self._runner.transaction(len(submissions)) as transaction:
            await transaction.load(submissions)
            return [_result(submission, transaction.uow) for submission in submissions]


def _result(submission: Submission[U, Any], uow: U) -> Any:
    try:
        return submission.execute(uow)
    except Exception as error:  # noqa: BLE001 - belongs to the one request, and is raised there
        return error


def _resolve(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
