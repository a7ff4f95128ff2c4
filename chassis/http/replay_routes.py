"""Replays for ops: plan, run, pause, resume, cancel; the work is done by the event process."""

from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from uuid_utils.compat import uuid7

from chassis.http.auth import Ops
from chassis.http.errors import IdempotencyKeyReused, MalformedRequest
from chassis.http.ops_actions import ActionRequest, RequiredKey, Store, do_once
from chassis.http.ops_errors import JobNotFound, JobRunning, JobStateConflict, MailsUndecided
from chassis.http.ops_jobs import lock_job, page_of_jobs, read_job, require_none_running
from chassis.http.paging import IdCursor, PageSize
from chassis.http.replay_dto import (
    ReplayBody,
    ReplayChangeBody,
    ReplayOut,
    ReplaysOut,
    replay_out,
    stored_request,
)
from chassis.http.routing import problems
from chassis.jobs.domain import FINAL, Job
from chassis.persistence.database import JobStore
from schemas import Event


def add_replays(router: APIRouter, group: str, handles: Collection[type[Event]]) -> None:
    """Add the routes; ``group`` is the service's consumer group, and ``handles`` what it handles."""
    shown = partial(replay_out, group=group)
    topics = {event.topic for event in handles}

    @router.post(
        "/replays",
        status_code=202,
        summary="Plan a replay",
        responses=problems(JobRunning, IdempotencyKeyReused),
    )
    async def plan_replay(body: ReplayBody, key: RequiredKey, ops: Ops, store: Store) -> ReplayOut:
        """Read the topics, and count what a run would bring into this group. Nothing is changed.

        The plan covers what is on the topics up to the offsets that the group has committed.
        """
        if body.topic is not None and body.topic not in topics:
            raise _malformed("body/topic", f"{group} subscribes to {', '.join(sorted(topics))}")

        async def work(tx: Any) -> str:
            await require_none_running(store)
            progress = {"rate": body.rate, "mails_wanted": body.mails}
            job = Job(uuid7(), "replay", "planning", stored_request(body), progress, ops.id, body.why)
            await store.jobs.add(tx, job)
            return str(job.id)

        subject = await do_once(store, ActionRequest(ops, key, "replay.plan", "", body), body.why, work)
        return shown(await read_job(store, "replay", UUID(subject)))

    @router.get("/replays", summary="List replays")
    async def list_replays(
        _ops: Ops,
        store: Store,
        cursor: IdCursor = None,
        limit: PageSize = 50,
    ) -> ReplaysOut:
        """The newest first."""
        items, following = await page_of_jobs(store, "replay", cursor, limit, shown)
        return ReplaysOut(items=items, next=following)

    @router.get("/replays/{job_id}", summary="Read a replay", responses=problems(JobNotFound))
    async def read_replay(job_id: UUID, _ops: Ops, store: Store) -> ReplayOut:
        """Its plan, and how far its run has come; `equal` proves that a run has done what was planned."""
        return shown(await read_job(store, "replay", job_id))

    @router.patch(
        "/replays/{job_id}",
        summary="Run, pause, resume or cancel a replay, or change its rate",
        responses=problems(JobNotFound, JobRunning, JobStateConflict, MailsUndecided, IdempotencyKeyReused),
    )
    async def change_replay(
        job_id: UUID, body: ReplayChangeBody, key: RequiredKey, ops: Ops, store: Store
    ) -> ReplayOut:
        """A pause takes hold within a second and outlives a restart. Cancelling keeps what was brought."""
        if (body.state, body.rate, body.mails) == (None, None, None):
            raise _malformed("body", "give at least one of state, rate and mails")

        async def work(tx: Any) -> str:
            job = await lock_job(store, tx, "replay", job_id)
            await store.jobs.change(tx, await _changed(store, job, body))
            return str(job_id)

        action = f"replay.{body.state or 'change'}"
        request = ActionRequest(ops, key, action, str(job_id), body, route="replay.change")
        await do_once(store, request, body.why, work)
        return shown(await read_job(store, "replay", job_id))


async def _changed(store: JobStore[Any], job: Job, body: ReplayChangeBody) -> Job:
    if job.state in FINAL and body.state != job.state:
        raise JobStateConflict(f"The replay is {job.state}: nothing of it can be changed.", state=job.state)
    progress = dict(job.progress)
    if body.rate is not None:
        progress["rate"] = body.rate
    if body.mails is not None:
        if job.state not in ("planning", "planned"):
            raise JobStateConflict(f"The replay is {job.state}: its mails are decided.", state=job.state)
        progress["mails_wanted"] = body.mails
    changed = replace(job, progress=progress)
    if body.state is None or body.state == job.state:
        return changed
    if not job.allows(body.state):
        raise JobStateConflict(f"A replay that is {job.state} cannot become {body.state}.", state=job.state)
    if body.state == "running":
        await require_none_running(store, job.id)
        new = (progress.get("mails") or {}).get("new", 0)
        if new and job.request["mode"] == "missing" and not progress.get("mails_wanted"):
            raise MailsUndecided(f"{new} new mails: say mails send or mails withhold.", new=new)
    return replace(changed, state=body.state)


def _malformed(where: str, what: str) -> MalformedRequest:
    return MalformedRequest(errors=[{"where": where, "what": what, "type": "value_error"}])
