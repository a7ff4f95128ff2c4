"""Bodies of the routes that rebuild replicas."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.examples import ID
from chassis.http.ops_actions import Why
from chassis.http.paging import Page
from chassis.jobs.domain import Job, State

Stage = Literal["reading", "compared", "swapped", "undone"]
Name = Annotated[str, Field(min_length=1, max_length=100, examples=["customers"])]


class RebuildBody(RequestBody):
    """Which replica to rebuild."""

    replica: Name
    key: Annotated[
        UUID | None,
        Field(strict=False, description="only the rows of this customer or product", examples=[ID]),
    ] = None
    why: Why


class ReadCountsOut(ResponseBody):
    """What was read."""

    read: Annotated[int, Field(description="messages", examples=[48210])]
    applied: Annotated[int, Field(description="events that fed the replica", examples=[31788])]
    erased: Annotated[int, Field(description="skipped: their customers were erased", examples=[12])]
    discarded: Annotated[int, Field(description="skipped: their dead letters were discarded", examples=[0])]
    edited: Annotated[int, Field(description="with the value that their dead letters were given", examples=[1])]


class DifferenceCountsOut(ResponseBody):
    """How many rows differ."""

    only_live: Annotated[int, Field(examples=[1])]
    only_rebuilt: Annotated[int, Field(examples=[2])]
    differs: Annotated[int, Field(examples=[3])]
    left_out: Annotated[int, Field(description="rows that live was changing meanwhile", examples=[0])]
    unreadable: Annotated[
        int, Field(description="keys of which an event cannot be handled: their rows are left out", examples=[0])
    ]


class SwappedOut(ResponseBody):
    """What the swap did."""

    removed: Annotated[int, Field(examples=[1])]
    added: Annotated[int, Field(examples=[2])]
    changed: Annotated[int, Field(examples=[3])]
    waiting: Annotated[
        int, Field(description="keys that were left out, because live had yet to handle an event", examples=[0])
    ]
    drained: Annotated[int, Field(description="events that were applied under the lock", examples=[4])]
    seconds: Annotated[float, Field(description="how long writers waited", examples=[0.21])]


class UndoneOut(ResponseBody):
    """What the undo did."""

    restored: Annotated[int, Field(examples=[6])]
    newer: Annotated[int, Field(description="rows that live has changed since, and that stay", examples=[0])]


class RebuildOut(ResponseBody):
    """A rebuild, and how far it has come."""

    id: UUID
    kind: Annotated[str, Field(examples=["rebuild"])]
    group: Annotated[str, Field(examples=["notifier_svc"])]
    replica: Name
    key: UUID | None
    state: State
    stage: Annotated[Stage | None, Field(description="how far it is; `done` and `compared`: it can be swapped")]
    wanted: Annotated[Literal["swap", "undo"] | None, Field(description="what it is about to do", examples=[None])]
    total: Annotated[int, Field(description="messages to read", examples=[48210])]
    counts: ReadCountsOut
    difference: DifferenceCountsOut | None
    swapped: SwappedOut | None
    undone: UndoneOut | None
    error: Annotated[str | None, Field(examples=[None])]
    who: UUID
    why: Why
    created_at: datetime
    updated_at: datetime


class RebuildsOut(Page[RebuildOut, UUID]):
    """Rebuilds, the newest first."""


class RowOut(ResponseBody):
    """A row, without its values, which may be personal data."""

    table: Annotated[str, Field(examples=["customers"])]
    key: Annotated[str, Field(examples=[ID])]


class DifferingRowOut(RowOut):
    """A row of which columns differ."""

    columns: Annotated[list[str], Field(examples=[["shipping", "addresses_version"]])]


class DifferenceOut(ResponseBody):
    """The difference between the live replica and the rebuilt one when they were compared."""

    counts: DifferenceCountsOut
    only_live: list[RowOut]
    only_rebuilt: list[RowOut]
    differs: list[DifferingRowOut]
    complete: Annotated[bool, Field(description="whether all of them are listed", examples=[True])]


def rebuild_out(job: Job, group: str) -> RebuildOut:
    """A job for a response."""
    assert job.created_at
    assert job.updated_at
    progress = job.progress
    counts = progress.get("counts", {})
    return RebuildOut(
        id=job.id,
        kind=job.kind,
        group=group,
        replica=job.request["replica"],
        key=UUID(key) if (key := job.request.get("key")) else None,
        state=job.state,
        stage=progress.get("stage"),
        wanted=progress.get("wanted"),
        total=progress.get("total", 0),
        counts=ReadCountsOut(**{name: counts.get(name, 0) for name in ReadCountsOut.model_fields}),
        difference=_counts(progress["difference"]) if "difference" in progress else None,
        swapped=SwappedOut(**progress["swapped"]) if "swapped" in progress else None,
        undone=UndoneOut(**progress["undone"]) if "undone" in progress else None,
        error=job.error,
        who=job.who,
        why=job.why,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )


def difference_out(job: Job, limit: int) -> DifferenceOut:
    """The difference of a job that has compared, at most so many rows of each kind."""
    found, table = job.progress["difference"], job.request["replica"]
    counts = _counts(found)
    only_live, only_rebuilt, differs = (found[kind][:limit] for kind in ("only_live", "only_rebuilt", "differs"))
    listed = len(only_live) + len(only_rebuilt) + len(differs)
    return DifferenceOut(
        counts=counts,
        only_live=[RowOut(table=table, key=key) for key, _ in only_live],
        only_rebuilt=[RowOut(table=table, key=key) for key, _ in only_rebuilt],
        differs=[DifferingRowOut(table=table, key=key, columns=columns) for key, columns in differs],
        complete=listed == counts.only_live + counts.only_rebuilt + counts.differs,
    )


def _counts(found: Mapping[str, Any]) -> DifferenceCountsOut:
    return DifferenceCountsOut(**found["counts"], left_out=found["left_out"], unreadable=found["unreadable"])
