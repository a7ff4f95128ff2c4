"""Swaps what differs into the live table, in one transaction, and undoes it.

The lock keeps writers out; readers go on. The rest of the topic is drained under it, so that the rebuilt rows are at
least as new as the live ones. The rows that are replaced are kept in the shadow.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from chassis.jobs.domain import Job
from chassis.jobs.loop import JobLease
from chassis.messaging.topic_reader import TopicReader
from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.postgres.locks import HOLD_OFF_ERASURES
from chassis.persistence.postgres.pipelined_transaction import PipelinedTransaction, array
from chassis.rebuild.behind import Events, LiveBehind
from chassis.rebuild.difference import KINDS, Statements
from chassis.rebuild.reading import Change, ErasureWaits, Reading
from chassis.rebuild.shadow import LIVE, NEW, OLD, Shadow
from chassis.runtime import failpoints

DRAIN_SECONDS = 5.0
"""How long writers may wait for the rest of the topic."""
LOCK_SECONDS = 2.0
TRIES = 5


class GaveUp(Exception):
    """Nothing was changed; the message is for ops."""


class Swap:
    """Swaps the rebuilt rows of one job, or undoes it."""

    def __init__(self, shadow: Shadow, statements: Statements, lease: JobLease) -> None:
        self._shadow, self._statements, self._lease = shadow, statements, lease

    async def swap(self, reading: Reading, reader: TopicReader, behind: LiveBehind) -> None:
        """Leave the job done; raise ``GaveUp``."""
        topics = self._shadow.replica.topics
        for attempt in range(TRIES):
            # Most of the rest, and any erasure, before the lock.
            ends = await reader.existing(topics)
            await reading.upto(ends)
            waiting = await behind.unhandled(ends)
            try:
                await self._swap(reading, reader, behind, waiting)
            except ErasureWaits:
                continue
            except ConcurrentUpdate:
                await asyncio.sleep(0.2 * (attempt + 1))
            else:
                if failpoints.armed:
                    await failpoints.reach("swap.commit.after")
                return
        raise GaveUp("the table was in use: no lock on it within some seconds")

    async def _swap(self, reading: Reading, reader: TopicReader, behind: LiveBehind, waiting: Events) -> None:
        async with self._locked(reading.job) as tx:
            if tx is None:
                return
            locked_at = time.monotonic()
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    ends = await reader.existing(self._shadow.replica.topics)
                    rest = await reading.rest(ends)
            except TimeoutError as error:
                raise GaveUp(f"the rest of the topic was not read within {DRAIN_SECONDS:g} s") from error
            drained, change = await reading.drain(tx, rest, ends)
            streams = await behind.streams({**waiting, **behind.events(rest)})
            counts = await self._replace(tx, [*streams, *change(reading.job).progress["unreadable"]])
            found = {
                **counts,
                "waiting": len(streams),
                "drained": drained,
                "seconds": round(time.monotonic() - locked_at, 3),
            }
            await self._end(
                tx, lambda job: change(job).proceed(wanted=None, stage="swapped", swapped=found), reading.job
            )
            if failpoints.armed:
                await failpoints.reach("swap.commit.before")

    async def undo(self, job: Job) -> None:
        """Restore the rows that the swap has replaced, where live has not changed them since; leave the job done."""
        for attempt in range(TRIES):
            try:
                await self._undo(job)
            except ConcurrentUpdate:
                await asyncio.sleep(0.2 * (attempt + 1))
            else:
                if failpoints.armed:
                    await failpoints.reach("undo.commit.after")
                return
        raise GaveUp("the table was in use: no lock on it within some seconds")

    async def _undo(self, job: Job) -> None:
        async with self._locked(job) as tx:
            if tx is None:
                return
            counts = await self._restore(tx)
            await self._end(tx, lambda now: now.proceed(wanted=None, stage="undone", undone=counts), job)
            if failpoints.armed:
                await failpoints.reach("undo.commit.before")

    @asynccontextmanager
    async def _locked(self, job: Job) -> AsyncIterator[PipelinedTransaction | None]:
        """A transaction that keeps writers out; None where an earlier one, of unknown outcome, has committed."""
        shadow = self._shadow
        async with shadow.transaction() as tx:
            tx.execute(f"SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}")
            tx.execute("SET LOCAL statement_timeout = '5min'")
            async with shadow.on_live_tables(tx):
                # Locked from here on, so that no other process takes the job over.
                current = await self._lease.lock(tx, job.id)
                if current.step == job.step:
                    await self._lease.save(tx, current)
            if current.step != job.step:
                yield None
                return
            if shadow.replica.erased:
                # In the order of the live transactions: this one, then rows.
                tx.execute(HOLD_OFF_ERASURES)
            # Keeps out SELECT … FOR UPDATE as well: a writer that has locked rows would wait for us, and we for it.
            await tx.execute(f'LOCK TABLE {LIVE}."{shadow.replica.table.name}" IN EXCLUSIVE MODE').rows()
            yield tx

    async def _end(self, tx: PipelinedTransaction, change: Change, job: Job) -> None:
        async with self._shadow.on_live_tables(tx):
            await self._lease.advance(tx, job, lambda current: change(current).end("done"))

    async def _replace(self, tx: PipelinedTransaction, left_out: list[str]) -> Mapping[str, int]:
        schema, replica = self._shadow.schema, self._shadow.replica
        key, live, rebuilt = replica.key, f'{LIVE}."{replica.table.name}"', f'{schema}."{replica.table.name}"'
        names = _names(replica.columns)
        tx.execute(self._statements.clear)
        tx.execute(f"DELETE FROM {schema}.left_out")
        tx.execute(f"INSERT INTO {schema}.left_out SELECT DISTINCT unnest(CAST($1 AS text[]))", array(left_out))
        tx.execute(self._statements.find)
        # Nothing is kept of customers who were erased, whatever live has still had of them.
        source = (
            f'FROM {schema}.difference d LEFT JOIN {live} live ON live."{key}" = d.key'
            f' LEFT JOIN {rebuilt} rebuilt ON rebuilt."{key}" = d.key WHERE NOT {replica.is_anonymous("rebuilt")}'
        )
        for table, row in ((OLD, "live"), (NEW, "rebuilt")):
            columns = _names(replica.columns, row)
            tx.execute(
                f'INSERT INTO {schema}.{table} ({names}) SELECT {columns} {source} AND {row}."{key}" IS NOT NULL'
            )
        counts = await self._counts(tx, KINDS)
        tx.execute(f'DELETE FROM {live} live USING {schema}.difference d WHERE live."{key}" = d.key')
        tx.execute(
            f"INSERT INTO {live} ({names}) SELECT {_names(replica.columns, 'rebuilt')} FROM {rebuilt} rebuilt"
            f' JOIN {schema}.difference d ON d.key = rebuilt."{key}"'
        )
        # Its copies of the other rows are of no use any more.
        tables = ", ".join(f'{schema}."{table.name}"' for table in (replica.table, *replica.touched))
        tx.execute(f"TRUNCATE {tables}")
        removed, added, changed = (counts[kind] for kind in KINDS)
        return {"removed": removed, "added": added, "changed": changed}

    async def _restore(self, tx: PipelinedTransaction) -> Mapping[str, int]:
        schema, replica = self._shadow.schema, self._shadow.replica
        key, live = replica.key, f'{LIVE}."{replica.table.name}"'
        same = f"ROW({_names(replica.columns, 'live')}) IS NOT DISTINCT FROM ROW({_names(replica.columns, 'new')})"
        tx.execute(self._statements.clear)
        tx.execute(
            f"INSERT INTO {schema}.difference (kind, key, columns)"
            f" SELECT CASE WHEN {same} AND NOT {replica.is_anonymous('live')} THEN 'restored' ELSE 'newer' END,"
            f' coalesce(old."{key}", new."{key}"), \'{{}}\''
            f' FROM {schema}.{OLD} old FULL JOIN {schema}.{NEW} new ON new."{key}" = old."{key}"'
            f' LEFT JOIN {live} live ON live."{key}" = coalesce(old."{key}", new."{key}")'
        )
        counts = await self._counts(tx, ("restored", "newer"))
        restored = "d.kind = 'restored'"
        tx.execute(f'DELETE FROM {live} live USING {schema}.difference d WHERE live."{key}" = d.key AND {restored}')
        tx.execute(
            f"INSERT INTO {live} ({_names(replica.columns)}) SELECT {_names(replica.columns, 'old')}"
            f' FROM {schema}.{OLD} old JOIN {schema}.difference d ON d.key = old."{key}" AND {restored}'
        )
        tx.execute(f"TRUNCATE {schema}.{OLD}, {schema}.{NEW}")
        return counts

    async def _counts(self, tx: PipelinedTransaction, kinds: tuple[str, ...]) -> dict[str, int]:
        query = f"SELECT kind, count(*) AS n FROM {self._shadow.schema}.difference GROUP BY kind"
        return dict.fromkeys(kinds, 0) | {row.kind: row.n for row in await tx.execute(query).rows()}


def _names(columns: list[str], row: str | None = None) -> str:
    return ", ".join(f'{row}."{name}"' if row else f'"{name}"' for name in columns)
