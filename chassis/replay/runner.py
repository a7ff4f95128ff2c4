"""Does replays: plans them, and brings what a plan has found.

Each transaction of a run stores, with the rows that its events change, how far the run has come. So a kill repeats
nothing, a pause takes hold at the next transaction, and the sums at the end are exact.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import structlog
from aiokafka.errors import OffsetOutOfRangeError

from chassis.jobs.domain import Job, JobFailed
from chassis.jobs.loop import JobLease
from chassis.messaging.consumed import ConsumedMessage
from chassis.messaging.consumer import Consumer
from chassis.messaging.topic_reader import TopicReader, open_reader
from chassis.replay.account import Account
from chassis.replay.judge import Judge, erased_customers, readable
from chassis.replay.pace import LiveConsumer, Pace
from chassis.replay.planner import Planner
from chassis.replay.repeat import Repeater
from chassis.replay.request import ReplayRequest
from chassis.replay.target import ReplayTarget
from chassis.runtime import failpoints
from schemas import CustomerErased

log = structlog.get_logger()

MAX_BATCH = 200


class ReplayRunner:
    """Plans and runs replays into one group."""

    def __init__(self, target: ReplayTarget[Any]) -> None:
        self._target = target

    async def run(self, job: Job, lease: JobLease) -> None:
        """Plan the job, or bring what its plan has found, from where it stands."""
        async with open_reader(self._target.kafka, self._target.prefix) as reader:
            try:
                if job.state == "planning":
                    await Planner(self._target).plan(job, lease, reader)
                else:
                    live = await LiveConsumer.watch(reader, self._target.group, self._target.topics)
                    await _Run(self._target, job, lease, reader, live).run()
            except OffsetOutOfRangeError as error:
                raise JobFailed("a part of what was planned has left its topic: plan it again") from error


class _Run:
    """One run of one job, in this process."""

    def __init__(
        self, target: ReplayTarget[Any], job: Job, lease: JobLease, reader: TopicReader, live: LiveConsumer
    ) -> None:
        self._target, self._lease, self._reader = target, lease, reader
        self._request = ReplayRequest(**job.request)
        withhold = self._withholds(job.progress.get("mails_wanted"))
        self._consumer: Consumer[Any] = target.consumer(withhold_mails=withhold)
        self._repeater = Repeater(self._consumer, target.runner(withhold_mails=withhold))
        self._account = Account(target, lease, job, enter_erased=self._request.mode == "missing")
        self._pace = Pace(live)

    def _withholds(self, mails: str | None) -> bool:
        return mails == "withhold" or (self._request.mode == "again" and mails != "never-sent")

    async def run(self) -> None:
        erased = await erased_customers(self._reader, self._account.save_soon)
        if CustomerErased in self._target.handlers and self._request.mode == "missing":
            await self._bring_erasures(erased)
        await self._bring_all(erased)
        if failpoints.armed:
            await failpoints.reach("replay.done.before")
        await self._lease.commit(self._account.job, lambda job: job.proceed().end("done"))

    def _judge(self, erased: set[str]) -> Judge:
        done = {UUID(event) for event in self._account.job.progress.get("first", ())}
        rules = self._target.rules(self._request.mode)
        return Judge(self._target.database, self._target.group, rules, self._request.selection, erased, done)

    async def _bring_erasures(self, erased: set[str]) -> None:
        """Erasures that were missed come before everything else, so that no data of these customers is written."""
        spans = {place: span for place, span in self._account.spans.items() if place[0] == CustomerErased.topic}
        judge = self._judge(erased)
        async with self._reader.merged(spans) as chunks:
            async for records in chunks:
                judged = [one for one in await judge.judge(records) if one.header.cls is CustomerErased]
                for message in readable(self._consumer, judged):
                    await self._consumer.bring([message], self._account.erasure)
                    self._account.committed()
                await self._account.save_soon()

    async def _bring_all(self, erased: set[str]) -> None:
        judge, account = self._judge(erased), self._account
        async with self._reader.merged(account.spans) as chunks:
            async for chunk in chunks:
                for records in self._pace.slices(chunk):
                    account.window += await judge.judge(records)
                    await self._bring_window()
                    await account.save_soon()
                    # Where nothing had to be brought, reading is the work.
                    await self._pace.rest(account.keep_lease, rate=account.rate)
        await account.save()

    async def _bring_window(self) -> None:
        account = self._account
        waiting = [one for one in account.window if one.verdict == "to_bring"]
        while waiting:
            size = self._pace.batch(account.rate, MAX_BATCH)
            batch, waiting = readable(self._consumer, waiting[:size]), waiting[size:]
            await self._apply(batch)
            await self._pace.rest(account.keep_lease, len(batch), account.rate)

    async def _apply(self, batch: Sequence[ConsumedMessage]) -> None:
        if self._request.mode == "again":
            await self._repeater.repeat(batch, self._account.repeated)
        else:
            await self._consumer.bring(batch, self._account.applied)
        self._account.committed()
        if failpoints.armed:
            await failpoints.reach("replay.commit.after")
