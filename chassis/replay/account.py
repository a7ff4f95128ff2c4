"""Accounts for the records of a replay, in the transactions that bring them."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chassis.jobs.domain import Job
from chassis.jobs.loop import JobLease
from chassis.messaging.consumer import Applied
from chassis.messaging.records import KafkaRecord
from chassis.messaging.topic_reader import Place, Span
from chassis.replay.domain import Sum
from chassis.replay.judge import Judged
from chassis.replay.repeat import Repeated
from chassis.replay.request import place_name, read_spans
from chassis.replay.target import ReplayTarget
from chassis.runtime import failpoints
from chassis.runtime.retry import retry_soon

SAVE_SECONDS = 1.0
"""How often progress is stored while there is nothing to bring."""


@dataclass(slots=True)
class Account:
    """How far a run has come, and what was read since."""

    target: ReplayTarget[Any]
    lease: JobLease
    job: Job
    """As the last commit has left it."""
    enter_erased: bool
    """Whether events of erased customers are entered in the inbox, so that nobody asks for them again."""
    window: list[Judged] = field(default_factory=list)
    """Records that are not accounted for yet, in order."""
    _begun: tuple[Job, int] | None = None
    """The job after the transaction that is going on, and how much of the window it accounts for."""
    _saved_at: float = field(default_factory=time.monotonic)

    @property
    def spans(self) -> dict[Place, Span]:
        """What is left of the planned spans."""
        positions: Mapping[str, int] = self.job.progress.get("positions", {})
        planned = read_spans(self.job.progress["spans"])
        return {
            place: Span(positions.get(place_name(place), span.first), span.end) for place, span in planned.items()
        }

    @property
    def rate(self) -> float:
        """Events per second; 0 is no limit."""
        return float(self.job.progress.get("rate") or 0)

    async def applied(self, tx: Any, done: Applied) -> None:
        """Account for what a consumer's transaction does, and for everything before it in the window."""
        brought, failed = {one.event_id for one in done.handled}, {one.event_id for one in done.letters}
        await self._enter(tx, [message.record for message in done.messages], brought, failed)

    async def repeated(self, tx: Any, done: Repeated) -> None:
        """The same for a transaction that handles events again."""
        brought, failed = {one.event_id for one in done.handled}, {one.event_id for one in done.failed}
        await self._enter(tx, [message.record for message in done.messages], brought, failed)

    async def erasure(self, tx: Any, done: Applied) -> None:
        """Account for erasures, which are brought before their turn."""
        current = await self._current(tx)
        first = [*current.progress.get("first", ()), *(str(one.event_id) for one in done.handled)]
        brought = Sum.read(current.progress.get("brought"))
        for one in done.handled:
            brought.add(one.event_id)
        await self._store(tx, current.proceed(first=first, brought=brought.stored()), 0)

    async def save_soon(self) -> None:
        """Account for the window, which has nothing to bring, if the last commit was some time ago.

        That also keeps the lease.
        """
        if time.monotonic() - self._saved_at > SAVE_SECONDS:
            await self.save()

    async def keep_lease(self) -> None:
        """Keep it while nothing is done. It accounts for nothing: events of the window may wait for their turn.

        Raise ``JobInterrupted``.
        """
        self.job = await self.lease.commit(self.job, lambda job: job)

    async def save(self) -> None:
        """Account for the whole window, of which nothing is to be brought any more."""

        async def attempt() -> None:
            async with self.target.database.transaction() as tx:
                await self._enter(tx, [], (), (), everything=True)

        await retry_soon(attempt, "replay")
        self.committed()

    def committed(self) -> None:
        """The last transaction has committed."""
        if self._begun:
            self.job, accounted = self._begun
            del self.window[:accounted]
            self._begun = None
        self._saved_at = time.monotonic()

    async def _enter(
        self,
        tx: Any,
        records: Sequence[KafkaRecord],
        brought: Collection[UUID],
        failed: Collection[UUID],
        *,
        everything: bool = False,
    ) -> None:
        current = await self._current(tx)
        offsets = {(one.topic, one.partition, one.offset) for one in records}
        nth = [n for n, one in enumerate(self.window) if _place(one) in offsets]
        upto = len(self.window) if everything else 1 + max(nth, default=-1)
        accounted = self.window[:upto]
        if self.enter_erased and (erased := [one.header.event_id for one in accounted if one.verdict == "erased"]):
            await self.target.database.inbox.deduplicate(tx, self.target.group, erased, ()).outcome()
        await self._store(tx, _accounted(accounted, brought, failed, current), upto)
        if failpoints.armed:
            await failpoints.reach("replay.commit.before")

    async def _current(self, tx: Any) -> Job:
        """The job as it is stored. Where that is what the last transaction was to leave, it has committed."""
        current = await self.lease.lock(tx, self.job.id)
        if self._begun and current.step == self._begun[0].step:
            self.committed()
        return current

    async def _store(self, tx: Any, job: Job, accounted: int) -> None:
        await self.lease.save(tx, job)
        self._begun = job, accounted


def _accounted(judged: Sequence[Judged], brought: Collection[UUID], failed: Collection[UUID], job: Job) -> Job:
    progress = job.progress
    sums = {name: Sum.read(progress.get(name)) for name in ("brought", "failed", "known_now")}
    positions = dict(progress.get("positions", {}))
    for one in judged:
        event_id, record = one.header.event_id, one.read.record
        positions[place_name((record.topic, record.partition))] = record.offset + 1
        if event_id in brought and one.verdict == "to_bring":
            sums["brought"].add(event_id)
        elif event_id in failed and one.verdict == "to_bring":
            sums["failed"].add(event_id)
        elif one.verdict in ("to_bring", "handled", "dead_lettered", "erased"):
            # What was to be brought, and was in the inbox by then, was handled by the live consumer meanwhile.
            sums["known_now"].add(event_id)
    stored = {name: found.stored() for name, found in sums.items()}
    return job.proceed(positions=positions, done=progress.get("done", 0) + len(judged), **stored)


def _place(judged: Judged) -> tuple[str, int, int]:
    record = judged.read.record
    return record.topic, record.partition, record.offset
