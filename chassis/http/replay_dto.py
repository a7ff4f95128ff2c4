"""Replays as ops see them."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.examples import ID, MOMENT
from chassis.http.ops_actions import MAX_TEXT, Why
from chassis.http.paging import Page
from chassis.jobs.domain import Job, State
from chassis.replay.domain import Mode, Sum
from chassis.replay.request import Mails
from schemas.values import Text

MAX_YEAR = 9999
Rate = Annotated[
    float, Field(ge=0, le=100_000, description="events per second to bring; 0 is no limit", examples=[200])
]
Offset = Annotated[int, Field(ge=0, lt=2**63)]
Offsets = Annotated[tuple[Offset, Offset], Field(strict=False)]
Partition = Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,4})$")]


def _rfc3339(value: Any) -> Any:
    """Refuse numbers, which Pydantic takes for seconds since 1970."""
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("must be a time as in RFC 3339, like 2026-11-20T08:00Z")
    return value


Moment = Annotated[AwareDatetime, Field(strict=False, examples=[MOMENT]), BeforeValidator(_rfc3339)]


class ReplayBody(RequestBody):
    """Which events to bring into the service's consumer group, and how."""

    mode: Annotated[
        Mode,
        Field(
            description="`missing`: what the group has not handled; `again`: what it has, by handlers that converge"
        ),
    ] = "missing"
    topic: Annotated[
        Text | None, Field(description="by default all that the group subscribes to", examples=["order.events"])
    ] = None
    type: Annotated[Text | None, Field(max_length=MAX_TEXT, examples=["order.confirmed"])] = None
    key: Annotated[Text | None, Field(max_length=MAX_TEXT, examples=[ID])] = None
    trace: Annotated[
        str | None,
        Field(pattern="^[0-9a-f]{32}$", description="a W3C trace id", examples=["4bf92f3577b34da6a3ce929d0e0e4736"]),
    ] = None
    since: Annotated[Moment | None, Field(description="published at this time or later")] = None
    until: Annotated[Moment | None, Field(description="published before this time")] = None
    offsets: Annotated[
        dict[Partition, Offsets] | None,
        Field(
            min_length=1,
            description="partition → first offset and the offset after the last; only with `topic`",
            examples=[{"0": [100, 200]}],
        ),
    ] = None
    mails: Annotated[
        Mails | None,
        Field(description="what becomes of mails that the events cause and that were never queued"),
    ] = None
    rate: Rate = 0
    why: Why

    @model_validator(mode="after")
    def _consistent(self) -> "ReplayBody":
        if self.offsets is not None and self.topic is None:
            raise ValueError("offsets are those of one topic: give topic as well")
        if self.mode == "again" and self.mails == "send":
            raise ValueError("mode again never sends a mail twice: mails is withhold or never-sent")
        if self.mode == "missing" and self.mails == "never-sent":
            raise ValueError("never-sent is for mode again: mails is send or withhold")
        self._check_spans()
        return self

    def _check_spans(self) -> None:
        for name in ("since", "until"):
            # Kafka has no times before 1970. The calendar ends with 9999, in some time zones too early for UTC.
            if (moment := getattr(self, name)) and not (moment.timestamp() >= 0 and moment.year < MAX_YEAR):
                raise ValueError(f"{name} must be in the years 1970 to {MAX_YEAR - 1}")
        if self.since and self.until and self.since >= self.until:
            raise ValueError("since must be before until")
        for partition, (first, end) in (self.offsets or {}).items():
            if first >= end:
                raise ValueError(f"offsets of partition {partition}: the first must be before the end")


class ReplayChangeBody(RequestBody):
    """What to change; at least one of them."""

    state: Annotated[Literal["running", "paused", "cancelled"] | None, Field(examples=["running"])] = None
    rate: Rate | None = None
    mails: Annotated[Mails | None, Field(description="only before it runs", examples=["withhold"])] = None
    why: Why


class CountsOut(ResponseBody):
    """The records in the planned spans, by what a run does with them."""

    on_topic: Annotated[int, Field(description="all", examples=[48210])]
    repeated: Annotated[int, Field(description="an event that was on the topic before", examples=[3])]
    not_subscribed: Annotated[int, Field(description="the group does not handle their type", examples=[16004])]
    filtered: Annotated[int, Field(description="not requested", examples=[0])]
    handled: Annotated[int, Field(examples=[31788])]
    dead_lettered: Annotated[int, Field(description="open dead letters: redrive them", examples=[2])]
    refused: Annotated[
        int, Field(description="in mode `again`: their handler must not run twice, or never ran", examples=[0])
    ]
    erased: Annotated[int, Field(description="about customers who were erased", examples=[0])]
    to_bring: Annotated[int, Field(examples=[413])]
    late: Annotated[int, Field(description="to bring, and later events of their key were handled", examples=[12])]
    behind_dead_letter: Annotated[
        int, Field(description="to bring, and will be parked behind a dead letter", examples=[1])
    ]
    unreadable: Annotated[int, Field(description="to bring, and will become dead letters", examples=[0])]


class MailCountsOut(ResponseBody):
    """The mails that the events to bring cause."""

    new: Annotated[int, Field(examples=[409])]
    known: Annotated[int, Field(description="in the ledger already", examples=[4])]


class DoneOut(ResponseBody):
    """What a run has done."""

    brought: Annotated[int, Field(examples=[413])]
    meanwhile: Annotated[int, Field(description="handled by the live consumer since the plan", examples=[0])]
    failed: Annotated[int, Field(description="became dead letters", examples=[0])]


class ReplayOut(ResponseBody):
    """A replay: its plan, and how far its run has come."""

    id: UUID
    kind: Annotated[str, Field(examples=["replay"])]
    group: Annotated[str, Field(examples=["notifier_svc"])]
    mode: Mode
    state: State
    request: Annotated[dict[str, Any], Field(examples=[{"topic": "order.events"}])]
    read: Annotated[int, Field(description="records read by the plan so far", examples=[48210])]
    total: Annotated[int, Field(description="records to read", examples=[48210])]
    counts: CountsOut | None
    by_type: Annotated[dict[str, int], Field(description="to bring", examples=[{"order.confirmed": 413}])]
    mails: MailCountsOut | None
    mails_wanted: Annotated[Mails | None, Field(examples=["withhold"])]
    spans: Annotated[
        dict[str, tuple[int, int]],
        Field(
            description="topic/partition → first offset and the offset after the last",
            examples=[{"order.events/0": [0, 8035]}],
        ),
    ]
    oldest: Annotated[datetime | None, Field(description="of the events to bring")]
    newest: datetime | None
    digest: Annotated[
        str | None,
        Field(
            description="the sum of the ids of the events to bring, modulo 2¹²⁸",
            examples=["5b1e77a0c1d2e3f405162738495a6bc0"],
        ),
    ]
    done: DoneOut
    digest_run: Annotated[
        str | None,
        Field(
            description="the sum of those that were brought, failed, or were handled meanwhile",
            examples=["5b1e77a0c1d2e3f405162738495a6bc0"],
        ),
    ]
    equal: Annotated[bool, Field(description="whether the run has done what was planned", examples=[True])]
    rate: Rate
    error: Annotated[str | None, Field(examples=[None])]
    who: UUID
    why: Why
    created_at: datetime
    updated_at: datetime


class ReplaysOut(Page[ReplayOut, UUID]):
    """Replays, the newest first."""


def stored_request(body: ReplayBody) -> dict[str, Any]:
    """What a job keeps of a request."""
    asked = body.model_dump(include={"mode", "topic", "type", "key", "trace", "offsets"}, exclude_none=True)
    times = {name: getattr(body, name) for name in ("since", "until")}
    return asked | {name: int(at.timestamp() * 1000) for name, at in times.items() if at}


def replay_out(job: Job, group: str) -> ReplayOut:
    """A job for a response."""
    assert job.created_at
    assert job.updated_at
    progress = job.progress
    counts, mails = progress.get("counts"), progress.get("mails")
    planned, brought, failed = (Sum.read(progress.get(name)) for name in ("planned", "brought", "failed"))
    ran = "known_now" in progress and job.state == "done"
    # What was known when the run came by, and was not when it was planned.
    meanwhile = Sum.read(progress.get("known_now")).minus(Sum.read(progress.get("known"))) if ran else Sum()
    digest_run = brought.plus(failed).plus(meanwhile)
    return ReplayOut(
        id=job.id,
        kind=job.kind,
        group=group,
        mode=job.request["mode"],
        state=job.state,
        request=_shown(job.request),
        read=progress.get("read", 0),
        total=progress.get("total", 0),
        counts=counts and CountsOut(**counts),
        by_type=progress.get("by_type", {}),
        mails=mails and MailCountsOut(**mails),
        mails_wanted=progress.get("mails_wanted"),
        spans=progress.get("spans", {}),
        oldest=progress.get("oldest"),
        newest=progress.get("newest"),
        digest=planned.hex if counts else None,
        done=DoneOut(brought=brought.count, meanwhile=meanwhile.count, failed=failed.count),
        digest_run=digest_run.hex if ran else None,
        equal=ran and digest_run.digest == planned.digest,
        rate=progress.get("rate", 0),
        error=job.error,
        who=job.who,
        why=job.why,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )


def _shown(request: Any) -> dict[str, Any]:
    times = {
        name: datetime.fromtimestamp(request[name] / 1000, UTC).isoformat()
        for name in ("since", "until")
        if name in request
    }
    return {**request, **times}
