"""Plans a replay: reads what is on the topics, and counts what a run would bring. Changes nothing."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, get_args

from chassis.jobs.domain import Job, JobFailed
from chassis.jobs.loop import Heartbeat, JobLease
from chassis.messaging.consumed import ConsumedMessage
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import BlockedStreams
from chassis.messaging.topic_reader import Place, ReadRecord, Span, TopicReader
from chassis.replay.domain import Tally, Verdict
from chassis.replay.judge import Judge, Judged, erased_customers, readable
from chassis.replay.pace import LiveConsumer, Pace
from chassis.replay.request import ReplayRequest, stored_spans, within
from chassis.replay.target import ReplayTarget
from chassis.runtime import failpoints

VERDICTS: Sequence[Verdict] = get_args(Verdict)


@dataclass(slots=True)
class Findings:
    """What a plan has found so far."""

    tally: Tally = field(default_factory=Tally)
    by_type: Counter[str] = field(default_factory=Counter)
    mails: Counter[str] = field(default_factory=Counter)
    oldest: int | None = None
    newest: int | None = None
    late: int = 0
    behind_dead_letter: int = 0
    unreadable: int = 0
    waiting: Counter[str | None] = field(default_factory=Counter)
    """By stream: events to bring that nothing handled follows yet."""

    def add(self, judged: Sequence[Judged], blocked: BlockedStreams) -> None:
        """Count records, which are given in order."""
        for one in judged:
            self.tally.add(one.verdict, one.header.event_id)
            if one.verdict == "to_bring":
                stream = one.read.record.stream
                self.by_type[one.header.type or "unreadable"] += 1
                self.oldest = min(self.oldest or one.read.at, one.read.at)
                self.newest = max(self.newest or 0, one.read.at)
                self.behind_dead_letter += blocked.holds(stream, one.read.record)
                self.waiting[stream] += 1
            elif one.verdict == "handled" and self.waiting:
                # Later events of the stream were handled: these come late.
                self.late += self.waiting.pop(one.read.record.stream, 0)

    def add_mails(self, new: int, known: int) -> None:
        """Count mails."""
        self.mails += Counter(new=new, known=known)

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        verdicts: Mapping[Any, int] = self.tally.verdicts
        names = (
            "repeated",
            "not_subscribed",
            "handled",
            "dead_lettered",
            "filtered",
            "refused",
            "erased",
            "to_bring",
        )
        counts = {"on_topic": self.tally.on_topic, **{name: verdicts.get(name, 0) for name in names}}
        counts |= {"late": self.late, "behind_dead_letter": self.behind_dead_letter, "unreadable": self.unreadable}
        return {
            "counts": counts,
            "by_type": dict(self.by_type.most_common()),
            "mails": {"new": self.mails["new"], "known": self.mails["known"]},
            "planned": self.tally.to_bring.stored(),
            "known": self.tally.known.stored(),
            "oldest": _moment(self.oldest),
            "newest": _moment(self.newest),
        }


class Planner:
    """Plans replays into one group."""

    def __init__(self, target: ReplayTarget[Any]) -> None:
        self._target = target

    async def plan(self, job: Job, lease: JobLease, reader: TopicReader) -> None:
        """Leave the job planned; raise ``JobFailed``."""
        request, target = ReplayRequest(**job.request), self._target
        spans = await self.spans(request, reader)
        heart, pace = Heartbeat(lease, job), Pace(await LiveConsumer.watch(reader, target.group, target.topics))
        erased = await erased_customers(reader, heart.beat)
        judge = Judge(target.database, target.group, target.rules(request.mode), request.selection, erased)
        blocked = await target.database.dead_letters.blocked_streams(target.group)
        found, consumer = Findings(), target.consumer()
        total = sum(map(len, spans.values()))
        async with reader.merged(spans) as chunks, aclosing(judge.judge_parts(_parts(chunks, pace))) as parts:
            async for judged in parts:
                found.add(judged, blocked)
                await self._look_inside(found, consumer, judged)
                await heart.beat(partial(_read_so_far, found.tally.on_topic, total))
                await pace.rest(heart.beat)
        if failpoints.armed:
            await failpoints.reach("replay.planned.before")
        await lease.commit(heart.job, partial(_planned, found, spans, total))

    async def spans(self, request: ReplayRequest, reader: TopicReader) -> dict[Place, Span]:
        """What is read: up to the offsets that the group has committed, so that no event overtakes another."""
        topics = [request.topic] if request.topic else self._target.topics
        existing = await reader.existing(topics)
        committed = await reader.committed(self._target.group)
        ends = {place: min(committed.get(place, span.first), span.end) for place, span in existing.items()}
        spans = {place: Span(span.first, ends[place]) for place, span in existing.items()}
        if request.since is not None:
            since = await reader.offsets_at(spans, request.since)
            firsts = {place: _or_else(since[place], ends[place]) for place in spans}
            spans = {place: Span(max(span.first, firsts[place]), span.end) for place, span in spans.items()}
        if request.until is not None:
            until = await reader.offsets_at(spans, request.until)
            spans = {
                place: Span(span.first, min(span.end, _or_else(until[place], span.end)))
                for place, span in spans.items()
            }
        if request.offsets is not None:
            assert request.topic is not None
            if unknown := request.offsets.keys() - {str(partition) for _, partition in spans}:
                raise JobFailed(f"{request.topic} has no partition {', '.join(sorted(unknown))}")
            spans = {
                place: within(Span(*request.offsets[str(place[1])]), Span(existing[place].first, ends[place]), place)
                for place in spans
                if str(place[1]) in request.offsets
            }
        return spans

    async def _look_inside(self, found: Findings, consumer: Consumer[Any], judged: Sequence[Judged]) -> None:
        messages: list[ConsumedMessage] = readable(consumer, judged)
        found.unreadable += sum(message.fault is not None for message in messages)
        envelopes = [message.envelope for message in messages if message.envelope]
        if envelopes and self._target.count_mails:
            found.add_mails(*await self._target.count_mails(envelopes))


async def _parts(chunks: AsyncIterator[list[ReadRecord]], pace: Pace) -> AsyncIterator[list[ReadRecord]]:
    async for chunk in chunks:
        for part in pace.slices(chunk):
            yield part


def _or_else(offset: int | None, other: int) -> int:
    return other if offset is None else offset


def _read_so_far(read: int, total: int, job: Job) -> Job:
    return job.proceed(read=read, total=total)


def _planned(found: Findings, spans: Mapping[Place, Span], total: int, job: Job) -> Job:
    plan = {**found.stored(), "spans": stored_spans(spans), "read": total, "total": total}
    return job.proceed(**plan).end("planned")


def _moment(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()
