"""Works off the jobs of a service in its event process, one at a time."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

import structlog
from aiokafka.errors import KafkaError
from uuid_utils.compat import uuid7

from chassis.jobs.domain import MAX_STARTS, Job, JobFailed, JobInterrupted, Kind, State
from chassis.persistence.database import JobStore
from chassis.persistence.errors import ConcurrentUpdate, DatabaseUnavailable
from chassis.runtime.periodic import run_periodically
from chassis.runtime.redaction import redacted
from chassis.runtime.retry import retry_soon

log = structlog.get_logger()

POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 1.0
RENEW_SECONDS = 3.0
BROKER_SECONDS = 2.0
"""The pause before a job that could not reach Kafka is tried again."""


@dataclass(frozen=True, slots=True)
class JobLease:
    """The right of this process to work on a job."""

    database: JobStore[Any]
    owner: UUID

    async def lock(self, tx: Any, job_id: UUID) -> Job:
        """The job as it is stored, locked; raise ``JobInterrupted`` if it does not exist any more."""
        current = await self.database.jobs.lock(tx, job_id)
        if current is None:
            raise JobInterrupted
        return current

    async def save(self, tx: Any, job: Job) -> None:
        """Store how far the job has come.

        Raise ``JobInterrupted`` if it was paused or cancelled, or belongs to another process.
        """
        await self.database.jobs.save(tx, self.owner, job)

    async def advance(self, tx: Any, job: Job, change: Callable[[Job], Job]) -> Job:
        """Store how far the job has come, in a transaction; return it as it is now; raise ``JobInterrupted``.

        ``change`` is applied to the job as it is stored: ops may have changed its rate. Where ``job`` is older than
        that, its change was committed before, by a transaction whose outcome was unknown, and nothing is done.
        """
        current = await self.lock(tx, job.id)
        if current.step == job.step:
            current = change(current)
            await self.save(tx, current)
        return current

    async def commit(self, job: Job, change: Callable[[Job], Job]) -> Job:
        """Store how far the job has come, in a transaction of its own; return it as it is now."""

        async def attempt() -> Job:
            async with self.database.transaction() as tx:
                return await self.advance(tx, job, change)

        return await retry_soon(attempt, "jobs")

    @asynccontextmanager
    async def renewed(self, job: Job) -> AsyncIterator[None]:
        """Renew the lease while one statement takes long, and the job cannot beat."""
        ending = asyncio.Event()

        async def renew() -> None:
            while not ending.is_set():
                await self.commit(job, lambda current: current)
                with suppress(TimeoutError):
                    await asyncio.wait_for(ending.wait(), RENEW_SECONDS)

        renewing = asyncio.create_task(renew())
        try:
            yield
        finally:
            # Not by cancelling: that would cost a connection.
            ending.set()
            await asyncio.wait([renewing])
        renewing.result()


@dataclass(slots=True)
class Heartbeat:
    """Keeps the lease of a job whose work changes no rows, and stores how far it has come."""

    lease: JobLease
    job: Job
    _last: float = field(default_factory=time.monotonic)

    async def beat(self, change: Callable[[Job], Job] = Job.proceed) -> None:
        """Commit, if the last time was long enough ago; raise ``JobInterrupted``."""
        if time.monotonic() - self._last > HEARTBEAT_SECONDS:
            self.job = await self.lease.commit(self.job, change)
            self._last = time.monotonic()


class JobRunner(Protocol):
    """Does the jobs of one kind."""

    async def run(self, job: Job, lease: JobLease) -> None:
        """Do a job from where it stands to its end; raise ``JobFailed``, ``JobInterrupted``, ``KafkaError``."""
        ...


class JobLoop:
    """The jobs of one service. A job that is interrupted in any way goes on from its last commit."""

    def __init__(self, database: JobStore[Any], runners: Mapping[Kind, JobRunner]) -> None:
        self._database, self._runners = database, runners
        self._lease = JobLease(database, uuid7())

    async def run(self) -> None:
        """Look for jobs and do them, until cancelled."""
        await run_periodically(self.step, "jobs", full=1, seconds=POLL_SECONDS)

    async def step(self) -> int:
        """Do the next job, if there is one; return how many were found."""
        job = await self._database.jobs.claim(self._lease.owner)
        if job is None:
            return 0
        try:
            if job.starts > MAX_STARTS:
                await self._fail(job, f"the event process died {MAX_STARTS} times before the job got any further")
            else:
                await self._do(job)
        except (Exception, asyncio.CancelledError):
            await self._release()
            raise
        await self._release()
        return 1

    async def _release(self) -> None:
        """Let another process go on at once. One that is killed leaves its lease behind."""
        try:
            await self._database.jobs.release(self._lease.owner)
        except DatabaseUnavailable as error:
            log.info("job lease left behind", why=redacted(error)[:200])

    async def _do(self, job: Job) -> None:
        log.info("job", job=str(job.id), kind=job.kind, state=job.state)
        try:
            await self._runners[job.kind].run(job, self._lease)
        except JobInterrupted:
            log.info("job interrupted", job=str(job.id))
        except JobFailed as error:
            await self._fail(job, str(error))
        except KafkaError as error:
            log.warning("job waits for Kafka", job=str(job.id), why=redacted(error)[:200])
            await asyncio.sleep(BROKER_SECONDS)
        except ConcurrentUpdate as error:
            log.info("job tries again", job=str(job.id), why=redacted(error)[:200])
        except DatabaseUnavailable:
            raise
        except Exception as error:
            # A bug in a job must not end the process that handles the live events.
            log.exception("job ended by a bug", job=str(job.id))
            await self._fail(job, f"unexpected {type(error).__name__}: see the log of the event process")

    async def _fail(self, job: Job, error: str) -> None:
        log.error("job failed", job=str(job.id), why=error)
        # As it stands: the progress in the database may be newer than this copy.
        await end_job(self._database, job.id, "failed", error)


async def end_job(database: JobStore[Any], job_id: UUID, state: State, error: str | None = None) -> None:
    """Leave a job in a state, with the progress that it has."""

    async def attempt() -> None:
        async with database.transaction() as tx:
            if job := await database.jobs.lock(tx, job_id):
                await database.jobs.change(tx, job.end(state, error))

    await retry_soon(attempt, "jobs")
