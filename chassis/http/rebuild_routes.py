"""Rebuilds of replicas for ops: make one anew, compare, swap, undo; the work is done by the event process."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from uuid_utils.compat import uuid7

from chassis.http.auth import Ops, Principal
from chassis.http.errors import IdempotencyKeyReused
from chassis.http.ops_actions import ActionRequest, Reason, RequiredKey, Store, do_once
from chassis.http.ops_errors import JobNotFound, JobRunning, JobStateConflict, RebuildSuperseded, ReplicaNotFound
from chassis.http.ops_jobs import lock_job, page_of_jobs, read_job, require_none_running
from chassis.http.paging import IdCursor, PageSize
from chassis.http.rebuild_dto import (
    DifferenceOut,
    RebuildBody,
    RebuildOut,
    RebuildsOut,
    difference_out,
    rebuild_out,
)
from chassis.http.routing import problems
from chassis.jobs.domain import Job
from chassis.persistence.database import JobStore

MOST_KEYS = 500
NEWEST = 100
"""A rebuild that is older than so many others has no shadow any more."""

Step = Literal["swap", "undo", "cancel"]


def add_rebuilds(router: APIRouter, group: str, replicas: Sequence[str]) -> None:
    """Add the routes; ``group`` is the service's consumer group, ``replicas`` what can be rebuilt."""
    shown = partial(rebuild_out, group=group)
    changing = problems(JobNotFound, JobRunning, JobStateConflict, RebuildSuperseded, IdempotencyKeyReused)

    @router.post(
        "/rebuilds",
        status_code=202,
        summary="Rebuild a replica",
        responses=problems(ReplicaNotFound, JobRunning, IdempotencyKeyReused),
    )
    async def plan_rebuild(body: RebuildBody, key: RequiredKey, ops: Ops, store: Store) -> RebuildOut:
        """Read its topics from their beginning into tables beside the live ones, and compare.

        Nothing live is changed. It takes the place of an earlier rebuild, which can then be undone no more.
        """
        if body.replica not in replicas:
            raise ReplicaNotFound(f"{group} has the replicas {', '.join(replicas)}.", replicas=list(replicas))

        async def work(tx: Any) -> str:
            await require_none_running(store)
            request = {"replica": body.replica, "key": str(body.key) if body.key else None}
            job = Job(uuid7(), "rebuild", "planning", request, {}, ops.id, body.why)
            await store.jobs.add(tx, job)
            return str(job.id)

        subject = await do_once(store, ActionRequest(ops, key, "rebuild.plan", "", body), body.why, work)
        return shown(await read_job(store, "rebuild", UUID(subject)))

    @router.get("/rebuilds", summary="List rebuilds")
    async def list_rebuilds(
        _ops: Ops,
        store: Store,
        cursor: IdCursor = None,
        limit: PageSize = 50,
    ) -> RebuildsOut:
        """The newest first."""
        items, following = await page_of_jobs(store, "rebuild", cursor, limit, shown)
        return RebuildsOut(items=items, next=following)

    @router.get("/rebuilds/{job_id}", summary="Read a rebuild", responses=problems(JobNotFound))
    async def read_rebuild(job_id: UUID, _ops: Ops, store: Store) -> RebuildOut:
        """How far it has come, and how many rows differ."""
        return shown(await read_job(store, "rebuild", job_id))

    @router.get(
        "/rebuilds/{job_id}/difference",
        summary="Read what differs",
        responses=problems(JobNotFound, JobStateConflict),
    )
    async def read_rebuild_difference(
        job_id: UUID,
        _ops: Ops,
        store: Store,
        limit: Annotated[int, Query(ge=1, le=MOST_KEYS, description="rows of each kind")] = MOST_KEYS,
    ) -> DifferenceOut:
        """The rows that are only live, only rebuilt, or differ, by key and column and never by value.

        As it was when they were compared. `counts` counts all of them.
        """
        job = await read_job(store, "rebuild", job_id)
        if "difference" not in job.progress:
            raise JobStateConflict(f"The rebuild is {job.state}, and has not compared.", state=job.state)
        return difference_out(job, limit)

    @router.post("/rebuilds/{job_id}/swap", status_code=202, summary="Swap what differs", responses=changing)
    async def swap_rebuild(job_id: UUID, body: Reason, key: RequiredKey, ops: Ops, store: Store) -> RebuildOut:
        """Bring the live replica to what the topics say, in one transaction; readers go on.

        What differs by then is swapped. If writers had to wait too long, it gives up and says so in `error`.
        """
        return await step("swap", job_id, body, key, ops, store)

    @router.post("/rebuilds/{job_id}/undo", status_code=202, summary="Undo a swap", responses=changing)
    async def undo_rebuild(job_id: UUID, body: Reason, key: RequiredKey, ops: Ops, store: Store) -> RebuildOut:
        """Restore the rows that the swap has replaced, where nothing has changed them since."""
        return await step("undo", job_id, body, key, ops, store)

    @router.post("/rebuilds/{job_id}/cancel", status_code=202, summary="Cancel a rebuild", responses=changing)
    async def cancel_rebuild(job_id: UUID, body: Reason, key: RequiredKey, ops: Ops, store: Store) -> RebuildOut:
        """Stop it, or give up what it has rebuilt, unless that was swapped."""
        return await step("cancel", job_id, body, key, ops, store)

    async def step(
        wanted: Step, job_id: UUID, body: Reason, key: str, ops: Principal, store: JobStore[Any]
    ) -> RebuildOut:
        async def work(tx: Any) -> str:
            job = await lock_job(store, tx, "rebuild", job_id)
            await store.jobs.change(tx, await _changed(store, job, wanted))
            return str(job_id)

        await do_once(store, ActionRequest(ops, key, f"rebuild.{wanted}", str(job_id), body), body.why, work)
        return shown(await read_job(store, "rebuild", job_id))


async def _changed(store: JobStore[Any], job: Job, wanted: Step) -> Job:
    if not _allows(job, wanted):
        stage = job.progress.get("stage")
        raise JobStateConflict(f"The rebuild is {job.state} ({stage or 'not begun'}).", state=job.state, stage=stage)
    if wanted == "cancel":
        return replace(job, state="cancelled")
    await require_none_running(store)
    await _require_newest(store, job)
    return replace(job, state="running", error=None, starts=0, progress={**job.progress, "wanted": wanted})


def _allows(job: Job, wanted: Step) -> bool:
    stage = job.progress.get("stage")
    if wanted == "swap":
        return job.state == "done" and stage == "compared"
    if wanted == "undo":
        # A job at which the event process died after the swap has failed.
        return job.state in ("done", "failed") and stage == "swapped"
    reading = job.state in ("planning", "running") and not job.progress.get("wanted")
    return reading or (job.state == "done" and stage == "compared")


async def _require_newest(store: JobStore[Any], job: Job) -> None:
    for newer in await store.jobs.list("rebuild", None, NEWEST):
        if newer.id == job.id:
            return
        if newer.request["replica"] == job.request["replica"] and newer.state == "done":
            raise RebuildSuperseded(newer=str(newer.id))
    raise RebuildSuperseded
