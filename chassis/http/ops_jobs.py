"""What the routes of all kinds of jobs share: finding a job, and that one is worked on at a time."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

from chassis.http.bodies import ResponseBody
from chassis.http.ops_errors import JobNotFound, JobRunning
from chassis.jobs.domain import Job, Kind
from chassis.persistence.database import JobStore

R = TypeVar("R", bound=ResponseBody)


async def read_job(store: JobStore[Any], kind: Kind, job_id: UUID) -> Job:
    """A job of this kind; raise ``JobNotFound``."""
    return _required(await store.jobs.get(job_id), kind)


async def lock_job(store: JobStore[Any], tx: Any, kind: Kind, job_id: UUID) -> Job:
    """A job of this kind, locked; raise ``JobNotFound``."""
    return _required(await store.jobs.lock(tx, job_id), kind)


async def page_of_jobs(
    store: JobStore[Any], kind: Kind, before: UUID | None, limit: int, out: Callable[[Job], R]
) -> tuple[list[R], UUID | None]:
    """The newest jobs of a kind for a response, and where the next page begins."""
    found = await store.jobs.list(kind, before, limit + 1)
    return [out(job) for job in found[:limit]], found[limit - 1].id if len(found) > limit else None


async def require_none_running(store: JobStore[Any], but: UUID | None = None) -> None:
    """Raise ``JobRunning`` if a job, other than ``but``, is being worked on."""
    running = await store.jobs.running()
    if running and running != but:
        raise JobRunning(job_id=str(running))


def _required(job: Job | None, kind: Kind) -> Job:
    if job is None or job.kind != kind:
        raise JobNotFound
    return job
