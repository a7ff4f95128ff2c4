"""The jobs that event processes do for operators: where a job is, and how far it has come."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ops.errors import CannotDo
from ops.platform import SERVICES
from ops.rest import Refused, Rest

ACTIVE = ("planning", "running")
"""The states in which an event process works on a job."""
POLL_SECONDS = 0.3
SILENCE_SECONDS = 60.0
"""A job that stays as it is for so long is not waited for any more."""
FULL_ID = 36


@dataclass(frozen=True)
class FoundJob:
    """A job, and the service that does it."""

    service: str
    path: str
    """Of the job's kind: ``/v1/ops/replays``."""
    document: dict[str, Any]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.document["id"])

    @property
    def url(self) -> str:
        """The path of this job."""
        return f"{self.path}/{self.id}"


async def list_jobs(rest: Rest, path: str, services: Sequence[str], most: int | None = None) -> list[FoundJob]:
    """The jobs of a kind in these services, the newest first."""
    lists = await asyncio.gather(*(_listed(rest, path, service, most) for service in services))
    found = [job for jobs in lists for job in jobs]
    return sorted(found, key=lambda job: job.id, reverse=True)[:most]


async def _listed(rest: Rest, path: str, service: str, most: int | None) -> list[FoundJob]:
    jobs: list[FoundJob] = []
    async for document in rest.items(service, path):
        jobs.append(FoundJob(service, path, document))
        if len(jobs) == most:
            break
    return jobs


async def find_job(rest: Rest, path: str, job_id: str, services: Sequence[str] = SERVICES) -> FoundJob:
    """The job with this id, or the only one whose id begins with it; raise ``CannotDo`` if there is none.

    ``services`` are those that have jobs of this kind.
    """
    if len(job_id) == FULL_ID:
        return await _with_id(rest, path, job_id, services)
    found = [job for job in await list_jobs(rest, path, services) if job.id.startswith(job_id)]
    if len(found) > 1:
        raise CannotDo(f"{len(found)} ids begin with {job_id}: give more of it, as in {found[0].id}")
    if not found:
        raise CannotDo(f"no id begins with {job_id}")
    return found[0]


async def _with_id(rest: Rest, path: str, job_id: str, services: Sequence[str]) -> FoundJob:
    reads = (rest.get(service, f"{path}/{job_id}") for service in services)
    answers = await asyncio.gather(*reads, return_exceptions=True)
    for service, answer in zip(services, answers, strict=True):
        if isinstance(answer, dict):
            return FoundJob(service, path, answer)
    for answer in answers:
        # A service that does not answer may be the one that has it.
        if isinstance(answer, BaseException) and not _is_elsewhere(answer):
            raise answer
    raise CannotDo(f"no service has {job_id}")


def _is_elsewhere(error: BaseException) -> bool:
    return isinstance(error, Refused) and error.code == "job_not_found"


async def follow(rest: Rest, job: FoundJob, report: Callable[[dict[str, Any]], object]) -> FoundJob:
    """Wait until nothing works on a job any more; ``report`` is called with each state of it.

    A service that does not answer for a while is waited for. Raise ``CannotDo`` if nothing happens for too long.
    """
    changed_at, document = time.monotonic(), job.document
    rate = document.get("rate") or 0
    patience = SILENCE_SECONDS + (2 / rate if rate else 0)
    while document["state"] in ACTIVE:
        report(document)
        await asyncio.sleep(POLL_SECONDS)
        problem = "its event process does not work on it"
        try:
            after = await rest.get(job.service, job.url)
        except CannotDo as error:
            if isinstance(error, Refused) and error.status < 500:
                raise
            after, problem = document, str(error)
        if after != document:
            changed_at, document = time.monotonic(), after
        elif time.monotonic() - changed_at > patience:
            raise CannotDo(f"{job.service}: {job.id} is {document['state']}: {problem}")
    return FoundJob(job.service, job.path, document)
