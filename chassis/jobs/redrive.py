"""The job that redrives dead letters: the selection is frozen when it is made; one transaction a stream."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from chassis.jobs.domain import Job
from chassis.jobs.loop import JobLease
from chassis.messaging.redrive import Redrive, Redriven

MOST_RESULTS = 100
"""At most so many results are kept with the job; the rest are counted."""


class RedriveRunner:
    """Redrives the letters that ``request["letters"]`` names: dead heads, whose parked letters come along."""

    def __init__(self, redrive: Redrive[Any]) -> None:
        self._redrive = redrive

    async def run(self, job: Job, lease: JobLease) -> None:
        """Redrive stream after stream."""
        while job.progress.get("next", 0) < len(job.request["letters"]):
            job = await (self._try if job.request.get("dry_run") else self._bring)(job, lease)
        await lease.commit(job, lambda current: current.proceed().end("done"))

    async def _bring(self, job: Job, lease: JobLease) -> Job:
        nth, head = _position(job)
        after = job

        async def also(tx: Any, outcome: Redriven) -> None:
            nonlocal after
            after = await lease.advance(tx, job, partial(_counted, nth, head, outcome))

        await self._redrive.bring(head, also)
        return after

    async def _try(self, job: Job, lease: JobLease) -> Job:
        nth, head = _position(job)
        outcome = await self._redrive.bring(head, _nothing_else, dry_run=True)
        return await lease.commit(job, partial(_counted, nth, head, outcome))


def _position(job: Job) -> tuple[int, UUID]:
    nth = job.progress.get("next", 0)
    return nth, UUID(job.progress.get("head") or job.request["letters"][nth])


async def _nothing_else(_tx: Any, _outcome: Redriven) -> None:
    """A dry run stores nothing in its transaction."""


def _counted(nth: int, head: UUID, outcome: Redriven, job: Job) -> Job:
    before = job.progress
    more = outcome.next is not None and not job.request.get("dry_run")
    results = [*before.get("results", ()), *_results(outcome, head)][:MOST_RESULTS]
    return job.proceed(
        next=nth if more else nth + 1,
        head=str(outcome.next) if more else None,
        streams=before.get("streams", 0) + (not more),
        brought=before.get("brought", 0) + len(outcome.brought),
        failed=before.get("failed", 0) + (outcome.failed is not None),
        skipped=before.get("skipped", 0) + (not outcome.brought and not outcome.failed),
        results=results,
    )


def _results(outcome: Redriven, head: UUID) -> list[Mapping[str, Any]]:
    results: list[Mapping[str, Any]] = [{"event_id": str(event), "outcome": "brought"} for event in outcome.brought]
    if outcome.failed:
        event, reason = outcome.failed
        results.append({"event_id": str(event), "outcome": "failed", "reason": reason})
    elif not outcome.brought:
        results.append({"event_id": str(head), "outcome": "skipped", "reason": "it is not open any more"})
    return results
