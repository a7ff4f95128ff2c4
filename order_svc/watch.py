"""Watches orders for everybody in this process who waits for something to happen to them.

Whoever waits does not ask the database; one loop asks for all of them, and only while there is anybody.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.persistence.errors import ConcurrentUpdate, DatabaseUnavailable
from chassis.persistence.postgres.database import Postgres
from chassis.runtime.batch_pacing import BatchPacer
from order_svc.errors import TooManyFollowed, WatchFull
from order_svc.store import Entry, timeline
from order_svc.timeline import Timeline

log = structlog.get_logger()

LOOK_SECONDS = 0.05
AWAY_SECONDS = 1.0
MOST = 1000
MOST_EACH = 10
"""How many can wait in one process, and how many of them on behalf of the same account."""

_THESE = timeline.c.order_id == sa.func.any(sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid)))
# Entries are only ever added: as long as there are as many, they are the same. (But for the number of a parcel, which
# an erasure takes away, and whoever follows has been shown already.)
_COUNTED = sa.select(timeline.c.order_id, sa.func.count().label("entries")).where(_THESE).group_by("order_id")
_ENTRIES = sa.select(timeline).where(_THESE).order_by(timeline.c.position)


@dataclass(eq=False)
class _Watched:
    """An order that somebody waits for."""

    timeline: Timeline = field(default_factory=lambda: Timeline({}))
    followers: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, entries: Sequence[tuple[int, Entry]]) -> None:
        """Have all followers look at this."""
        self.timeline = Timeline(dict(entries))
        self.wake()

    def wake(self) -> None:
        """Have all followers look again."""
        self.changed.set()
        self.changed = asyncio.Event()


class Watch:
    """Follows orders until ``end``."""

    def __init__(self, database: Postgres, seconds: float = LOOK_SECONDS) -> None:
        self._database, self._pace = database, BatchPacer(seconds)
        self._watched: dict[UUID, _Watched] = {}
        self._whose: Counter[UUID] = Counter()
        self._somebody = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self.ended = False

    @property
    def followers(self) -> int:
        """How many wait."""
        return self._whose.total()

    async def start(self) -> None:
        """Begin to look, whenever there is somebody to look for."""
        self._looking = asyncio.create_task(self._look_again(), name="watch")

    def end(self) -> None:
        """Let everybody go: the process is to end."""
        self.ended = True
        for watched in self._watched.values():
            watched.wake()

    async def close(self) -> None:
        """Stop looking."""
        self.end()
        if self._looking:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    @contextmanager
    def follow(self, order_id: UUID, account_id: UUID, seconds: float) -> Iterator["Follower"]:
        """Follow an order for so long; raise ``TooManyFollowed`` where the account has too many, ``WatchFull``."""
        if self._whose[account_id] >= MOST_EACH:
            raise TooManyFollowed(most=MOST_EACH)
        if self.followers >= MOST:
            raise WatchFull
        watched = self._watched.setdefault(order_id, _Watched())
        # Whoever comes is shown what is there now: an erasure may have taken away some of what others were shown.
        watched.timeline = Timeline({})
        watched.followers += 1
        self._whose[account_id] += 1
        self._somebody.set()
        try:
            yield Follower(self, watched, seconds)
        finally:
            self._leave(order_id, account_id)

    def _leave(self, order_id: UUID, account_id: UUID) -> None:
        self._whose[account_id] -= 1
        if not self._whose[account_id]:
            del self._whose[account_id]
        watched = self._watched[order_id]
        watched.followers -= 1
        if not watched.followers:
            del self._watched[order_id]
        if not self._watched:
            self._somebody.clear()

    async def _look_again(self) -> None:
        while True:
            await self._somebody.wait()
            async with self._pace:
                try:
                    await self.look()
                except (DatabaseUnavailable, ConcurrentUpdate) as error:
                    log.warning("watch waits for the database", why=str(error)[:200])
                    await asyncio.sleep(AWAY_SECONDS)

    async def look(self) -> None:
        """Look once at every order that somebody follows, and wake the followers of those that have changed."""
        async with self._database.reading() as connection:
            for order_id, entries in (await _news(connection, self._known())).items():
                if watched := self._watched.get(order_id):
                    watched.show(entries)

    def _known(self) -> dict[UUID, int]:
        return {order_id: len(watched.timeline.entries) for order_id, watched in self._watched.items()}


class Follower:
    """One who waits for news of an order; an asynchronous iterator of its timelines, each longer than the last.

    It ends when the time is up, or the process ends (``let_go``).
    """

    def __init__(self, watch: Watch, watched: _Watched, seconds: float) -> None:
        self._watch, self._watched = watch, watched
        self._until = asyncio.get_running_loop().time() + seconds
        self._seen = 0

    @property
    def let_go(self) -> bool:
        """Is the process to end?"""
        return self._watch.ended

    def __aiter__(self) -> AsyncIterator[Timeline]:
        return self

    async def __anext__(self) -> Timeline:
        try:
            async with asyncio.timeout_at(self._until):
                while len(self._watched.timeline.entries) <= self._seen and not self.let_go:
                    await self._watched.changed.wait()
        except TimeoutError:
            raise StopAsyncIteration from None
        # Where there was news already, nobody has looked at the time: a slow reader may come for it late.
        if self.let_go or asyncio.get_running_loop().time() >= self._until:
            raise StopAsyncIteration
        self._seen = len(self._watched.timeline.entries)
        return self._watched.timeline


async def _news(connection: AsyncConnection, known: dict[UUID, int]) -> dict[UUID, list[tuple[int, Entry]]]:
    """The entries of those orders that do not have as many as we know."""
    counted = await connection.execute(_COUNTED, {"ids": list(known)})
    news: dict[UUID, list[tuple[int, Entry]]] = {
        row.order_id: [] for row in counted if row.entries != known[row.order_id]
    }
    if news:
        for row in await connection.execute(_ENTRIES, {"ids": list(news)}):
            news[row.order_id].append((row.position, Entry(row.order_id, row.at, row.type, row.detail)))
    return news
