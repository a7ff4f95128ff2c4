"""Redriving dead letters: a job of the event process."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, model_validator
from uuid_utils.compat import uuid7

from chassis.http.auth import Ops, Principal
from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.errors import IdempotencyKeyReused
from chassis.http.examples import ID
from chassis.http.ops_actions import MAX_TEXT, ActionRequest, RequiredKey, Store, Why, do_once
from chassis.http.ops_errors import JobNotFound, LetterNotFound, NothingSelected, TooManySelected
from chassis.http.ops_jobs import page_of_jobs, read_job
from chassis.http.paging import IdCursor, Page, PageSize
from chassis.http.routing import problems
from chassis.jobs.domain import Job, State
from chassis.messaging.dead_letters import LetterFilter, LetterState
from chassis.persistence.database import JobStore
from schemas.values import Text

MOST_SELECTED = 10_000
PAGE = 1000
DEAD: Sequence[LetterState] = ("dead",)


class RedriveBody(RequestBody):
    """Which dead letters to redrive; exactly one of the selections."""

    letters: Annotated[
        list[Annotated[UUID, Field(strict=False)]] | None,
        Field(min_length=1, max_length=1000, description="the events", examples=[[ID]]),
    ] = None
    fingerprint: Annotated[
        Text | None, Field(max_length=MAX_TEXT, description="those with this cause", examples=["9f86d081884c7d65"])
    ] = None
    type: Annotated[
        Text | None, Field(max_length=MAX_TEXT, description="those of this type", examples=["stock.reserved"])
    ] = None
    key: Annotated[Text | None, Field(max_length=MAX_TEXT, description="those of this key", examples=[ID])] = None
    all: Annotated[bool, Field(description="all of them", examples=[False])] = False
    dry_run: Annotated[bool, Field(description="say what would happen, and change nothing", examples=[False])] = False
    why: Why

    @model_validator(mode="after")
    def _one_selection(self) -> "RedriveBody":
        given = [self.letters, self.fingerprint, self.type, self.key, self.all or None]
        if sum(one is not None for one in given) != 1:
            raise ValueError("give exactly one of letters, fingerprint, type, key and all")
        return self


class RedriveResultOut(ResponseBody):
    """What happened to a letter."""

    event_id: UUID
    outcome: Literal["brought", "failed", "skipped"]
    reason: Annotated[str | None, Field(examples=["LookupError('…')"])]


class RedriveOut(ResponseBody):
    """A redrive, and how far it has come."""

    id: UUID
    kind: Annotated[str, Field(examples=["redrive"])]
    group: Annotated[str, Field(examples=["order_svc"])]
    state: State
    dry_run: bool
    selected: Annotated[int, Field(description="heads of streams", examples=[3])]
    streams: Annotated[int, Field(description="streams that are finished", examples=[3])]
    brought: Annotated[int, Field(description="letters that were handled", examples=[15])]
    failed: Annotated[int, Field(description="streams that stopped at a letter that failed again", examples=[0])]
    skipped: Annotated[int, Field(description="letters that were not open any more", examples=[0])]
    results: Annotated[list[RedriveResultOut], Field(description="of the first hundred letters")]
    error: Annotated[str | None, Field(examples=[None])]
    who: UUID
    why: Why
    created_at: datetime
    updated_at: datetime


class RedrivesOut(Page[RedriveOut, UUID]):
    """Redrives, the newest first."""


def add_redrives(router: APIRouter, group: str) -> None:
    """Add the routes; ``group`` is the service's consumer group."""
    shown = partial(redrive_out, group=group)

    @router.post(
        "/redrives",
        status_code=202,
        summary="Redrive dead letters",
        responses=problems(LetterNotFound, NothingSelected, TooManySelected, IdempotencyKeyReused),
    )
    async def redrive_letters(body: RedriveBody, key: RequiredKey, ops: Ops, store: Store) -> RedriveOut:
        """Handle them again, in the event process, stream by stream and in order; parked letters come along.

        The selection is frozen now: letters that die later are not in it. A stream stops at the first letter that
        fails again.
        """

        async def work(tx: Any) -> str:
            # In here: a repeated request gets its job, although nothing may be left to select.
            job = _new_job(ops, body, await _selected(store, body))
            await store.jobs.add(tx, job)
            return str(job.id)

        subject = await do_once(store, ActionRequest(ops, key, "letter.redrive", "", body), body.why, work)
        return shown(await read_job(store, "redrive", UUID(subject)))

    @router.get("/redrives", summary="List redrives")
    async def list_redrives(
        _ops: Ops,
        store: Store,
        cursor: IdCursor = None,
        limit: PageSize = 50,
    ) -> RedrivesOut:
        """The newest first."""
        items, following = await page_of_jobs(store, "redrive", cursor, limit, shown)
        return RedrivesOut(items=items, next=following)

    @router.get("/redrives/{job_id}", summary="Read a redrive", responses=problems(JobNotFound))
    async def read_redrive(job_id: UUID, _ops: Ops, store: Store) -> RedriveOut:
        """How far it has come."""
        return shown(await read_job(store, "redrive", job_id))


async def _selected(store: JobStore[Any], body: RedriveBody) -> list[UUID]:
    if body.letters:
        for event in body.letters:
            if await store.dead_letters.get(event) is None:
                raise LetterNotFound(f"There is no dead letter of event {event}.")
        return list(dict.fromkeys(body.letters))
    wanted = LetterFilter(DEAD, body.type, body.key, body.fingerprint)
    selected: list[UUID] = []
    while page := await store.dead_letters.find(wanted, selected[-1] if selected else None, PAGE):
        selected += [letter.event_id for letter in page]
        if len(selected) > MOST_SELECTED:
            raise TooManySelected(limit=MOST_SELECTED)
    if not selected:
        raise NothingSelected
    return selected


def _new_job(ops: Principal, body: RedriveBody, selected: list[UUID]) -> Job:
    request = {"letters": [str(event) for event in selected], "dry_run": body.dry_run}
    return Job(uuid7(), "redrive", "running", request, {}, ops.id, body.why)


def redrive_out(job: Job, group: str) -> RedriveOut:
    """A job for a response."""
    assert job.created_at
    assert job.updated_at
    progress = job.progress
    counts = {name: progress.get(name, 0) for name in ("streams", "brought", "failed", "skipped")}
    results = [
        RedriveResultOut(event_id=UUID(one["event_id"]), outcome=one["outcome"], reason=one.get("reason"))
        for one in progress.get("results", ())
    ]
    return RedriveOut(
        id=job.id,
        kind=job.kind,
        group=group,
        state=job.state,
        dry_run=bool(job.request.get("dry_run")),
        selected=len(job.request["letters"]),
        **counts,
        results=results,
        error=job.error,
        who=job.who,
        why=job.why,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )
