"""Follows the timelines of orders for every client of this process that waits for something to happen to one.

Clients do not poll the database themselves: one loop polls for all of them, and only while there are any.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.batch_pacing import BatchPacer
from chassis.runtime.retry import retry_until_available
from order_svc.errors import StreamLimitReached, TooManyStreams
from order_svc.timeline.domain import Timeline, TimelineEntry
from order_svc.timeline.store import entry_from, timeline

POLL_SECONDS = 0.05
RETRY_SECONDS = 1.0
MAX_FOLLOWERS = 1000
MAX_FOLLOWERS_OF_ACCOUNT = 10
"""How many clients can follow orders in one process, and how many of them for the same account.

An account that has fewer than another takes the place of one of those, where all places are taken: else 100 accounts
could keep out all others.
"""
MAX_WAITING = 500
"""How many of them can be requests that wait for their response: these are limited for the process, too."""

_OF_ORDERS = timeline.c.order_id == sa.func.any(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)))
# Entries are only added, so as long as their number is the same, so are they. (Except for a tracking number that an
# erasure removed, which those who follow the order have seen already.)
_COUNTS = sa.select(timeline.c.order_id, sa.func.count().label("entries")).where(_OF_ORDERS).group_by("order_id")
_ENTRIES = sa.select(timeline).where(_OF_ORDERS).order_by(timeline.c.position)


@dataclass(eq=False)
class _FollowedOrder:
    """An order with at least one follower."""

    timeline: Timeline = field(default_factory=lambda: Timeline({}))
    followers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def update(self, entries: Sequence[tuple[int, TimelineEntry]]) -> None:
        """Replace the timeline, and wake all followers."""
        self.timeline = Timeline(dict(entries))
        self.wake()

    def wake(self) -> None:
        """Make all followers check again."""
        self.changed.set()
        self.changed = asyncio.Event()


class TimelineFeed:
    """Follows orders until ``stop``."""

    def __init__(self, database: Postgres, seconds: float = POLL_SECONDS) -> None:
        self._database, self._pacer = database, BatchPacer(seconds)
        self._followed: dict[UUID, _FollowedOrder] = {}
        self._of_account: defaultdict[UUID, list[Follower]] = defaultdict(list)
        """The oldest first."""
        self._waiting = 0
        self._has_followers = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self.stopping = False

    @property
    def followers(self) -> int:
        """How many clients follow an order."""
        return sum(map(len, self._of_account.values()))

    async def start(self) -> None:
        """Begin to poll, whenever there are followers."""
        self._polling = asyncio.create_task(self._poll_repeatedly(), name="timeline feed")

    def stop(self) -> None:
        """End all streams: the process is about to stop."""
        self.stopping = True
        for followed in self._followed.values():
            followed.wake()

    async def close(self) -> None:
        """Stop polling."""
        self.stop()
        if self._polling:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling

    @contextmanager
    def follow(self, order_id: UUID, account_id: UUID, seconds: float) -> Iterator["Follower"]:
        """Follow an order for at most so long; raise ``TooManyStreams``, ``StreamLimitReached``."""
        own = len(self._of_account.get(account_id, ()))
        if own >= MAX_FOLLOWERS_OF_ACCOUNT:
            raise TooManyStreams(most=MAX_FOLLOWERS_OF_ACCOUNT)
        if self.followers >= MAX_FOLLOWERS:
            self._displace_one_of_more_than(own + 1)
        followed = self._followed.setdefault(order_id, _FollowedOrder())
        # A new follower starts from the database: an erasure may have removed some of what others have seen.
        followed.timeline = Timeline({})
        followed.followers += 1
        follower = Follower(self, followed, seconds)
        self._of_account[account_id].append(follower)
        self._has_followers.set()
        try:
            yield follower
        finally:
            self._leave(order_id)
            self._forget(account_id, follower)

    async def wait_while_pending(self, order_id: UUID, account_id: UUID, seconds: float) -> None:
        """Wait until an order is no longer PENDING, at most so long; raise as ``follow`` does."""
        if self._waiting >= MAX_WAITING:
            raise StreamLimitReached
        with self.follow(order_id, account_id, seconds) as follower:
            self._waiting += 1
            try:
                async for current in follower:
                    if current.state != "PENDING":
                        return
            finally:
                self._waiting -= 1

    def _displace_one_of_more_than(self, number: int) -> None:
        """End the oldest stream of the account with most, if that has more; else raise ``StreamLimitReached``."""
        account_id = max(self._of_account, key=lambda account: len(self._of_account[account]), default=None)
        if account_id is None or len(self._of_account[account_id]) <= number:
            raise StreamLimitReached
        oldest = self._of_account[account_id][0]
        self._forget(account_id, oldest)
        oldest.displace()

    def _forget(self, account_id: UUID, follower: "Follower") -> None:
        if follower.displaced:
            return
        self._of_account[account_id].remove(follower)
        if not self._of_account[account_id]:
            del self._of_account[account_id]

    def _leave(self, order_id: UUID) -> None:
        followed = self._followed[order_id]
        followed.followers -= 1
        if not followed.followers:
            del self._followed[order_id]
        if not self._followed:
            self._has_followers.clear()

    async def _poll_repeatedly(self) -> None:
        while True:
            await self._has_followers.wait()
            async with self._pacer:
                await retry_until_available(
                    self.poll, "timeline feed", first=RETRY_SECONDS, most=RETRY_SECONDS, also=(ConcurrentUpdate,)
                )

    async def poll(self) -> None:
        """Read every followed order's timeline once, and wake the followers of those that have changed."""
        known = {order_id: len(followed.timeline.entries) for order_id, followed in self._followed.items()}
        async with self._database.reading() as connection:
            for order_id, entries in (await _changed(connection, known)).items():
                if followed := self._followed.get(order_id):
                    followed.update(entries)


class Follower:
    """One client that follows an order; an asynchronous iterator of its timelines, each longer than the last.

    It ends when the time is up, when the process is about to stop (``stopping``), or when an account that follows
    fewer orders needs its place (``displaced``).
    """

    def __init__(self, feed: TimelineFeed, followed: _FollowedOrder, seconds: float) -> None:
        self._feed, self._followed = feed, followed
        self._until = asyncio.get_running_loop().time() + seconds
        self._seen = 0
        self.displaced = False

    def displace(self) -> None:
        """End it, for another account."""
        self.displaced = True
        self._followed.wake()

    @property
    def ends(self) -> bool:
        """Is it to end before its time?"""
        return self.stopping or self.displaced

    @property
    def stopping(self) -> bool:
        """Is the process about to stop?"""
        return self._feed.stopping

    def __aiter__(self) -> AsyncIterator[Timeline]:
        return self

    async def __anext__(self) -> Timeline:
        try:
            async with asyncio.timeout_at(self._until):
                while len(self._followed.timeline.entries) <= self._seen and not self.ends:
                    await self._followed.changed.wait()
        except TimeoutError:
            raise StopAsyncIteration from None
        # The loop above does not look at the time when it need not wait: a slow reader may come late.
        if self.ends or asyncio.get_running_loop().time() >= self._until:
            raise StopAsyncIteration
        self._seen = len(self._followed.timeline.entries)
        return self._followed.timeline


async def _changed(
    connection: AsyncConnection, known: dict[UUID, int]
) -> dict[UUID, list[tuple[int, TimelineEntry]]]:
    """The entries of the orders whose number of entries is not the known one."""
    counts = await connection.execute(_COUNTS, {"ids": list(known)})
    changed: dict[UUID, list[tuple[int, TimelineEntry]]] = {
        row.order_id: [] for row in counts if row.entries != known[row.order_id]
    }
    if changed:
        for row in await connection.execute(_ENTRIES, {"ids": list(changed)}):
            changed[row.order_id].append((row.position, entry_from(row)))
    return changed
