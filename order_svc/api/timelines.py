"""The routes that tell what happens to an order: so far, and as it happens."""

import time
from collections.abc import AsyncIterable, AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from chassis.http.auth import Authenticated, Principal
from chassis.http.content_negotiation import EventStreamRoute, vary_by_accept
from chassis.http.errors import Unauthenticated
from chassis.http.headers import carries
from chassis.http.routing import new_router, problems
from order_svc import queries
from order_svc.api.needs import owner
from order_svc.container import Database, Watching
from order_svc.dto import ClosedOut, EndOut, TimelineOut, entry_out, timeline_out
from order_svc.errors import OrderUnknown, TooManyFollowed, WatchFull
from order_svc.watch import Follower

router = new_router()
streamed = new_router(route_class=EventStreamRoute)

TIMELINE = "/v1/orders/{order_id}/timeline"
STREAM_SECONDS = 300
"""A stream ends after so long, or when the token that opened it expires; its reader comes back with a good one."""
BACK_AFTER_MILLISECONDS = 1000
BACK_AFTER_END_MILLISECONDS = 60_000
"""For readers that come back whatever they are told, as browsers do unless a script closes their source."""
EXAMPLE = (
    "retry: 1000\n\n"
    'data: {"at": "2026-01-02T03:04:05Z", "type": "order.placed", "detail": {"state": "PENDING"}}\n'
    "id: 1-53c1f8a2b4d60e97\n\n"
    'event: end\ndata: {"state": "CONFIRMED"}\nretry: 60000\n\n'
)
STREAM: dict[str, Any] = {"content": {"text/event-stream": {"example": EXAMPLE}}}
FOLLOWING = problems(Unauthenticated, OrderUnknown, TooManyFollowed, WatchFull)
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="the `id` of the last event that was read; a stream goes on after it",
        examples=["1-53c1f8a2b4d60e97"],
    ),
]


@router.get(
    TIMELINE,
    tags=["orders"],
    summary="Follow an order",
    responses=FOLLOWING | {200: STREAM | carries("Vary", "Cache-Control", "X-Accel-Buffering")},
    dependencies=[Depends(vary_by_accept)],
)
async def read_timeline(
    order_id: UUID, principal: Authenticated, database: Database, _last_event_id: LastEventId = None
) -> TimelineOut:
    """Everything that happened to the order so far: its events, the saga's steps, the stock's answers, the mails.

    Whoever would rather have server-sent events (`Accept: text/event-stream`) gets the same as from
    `/timeline/stream`.
    """
    order = await queries.order(database, order_id, owner(principal))
    return timeline_out(order, await queries.order_timeline(database, order_id))


async def _following(
    order_id: UUID, principal: Authenticated, database: Database, watch: Watching
) -> AsyncIterator[Follower]:
    if principal.expires_at <= time.time():
        # Where others forgive a token some seconds: a reader that comes back by itself must not be let in again and
        # again, to be sent away at once each time. This makes browsers give up.
        raise Unauthenticated("The access token has expired.")
    await queries.order(database, order_id, owner(principal))
    with watch.follow(order_id, principal.id, min(principal.expires_at - time.time(), STREAM_SECONDS)) as follower:
        yield follower


@streamed.get(
    TIMELINE, response_class=EventSourceResponse, include_in_schema=False, dependencies=[Depends(vary_by_accept)]
)
@router.get(
    f"{TIMELINE}/stream",
    response_class=EventSourceResponse,
    tags=["orders"],
    summary="Follow an order as it happens",
    responses=FOLLOWING
    | {200: STREAM | {"description": "The timeline, as it happens."} | carries("Cache-Control", "X-Accel-Buffering")},
)
async def stream_timeline(
    principal: Authenticated, follower: Annotated[Follower, Depends(_following)], last_event_id: LastEventId = None
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events: the timeline's entries, those that are there and then each as it happens.

    When nothing more is due to the order as it is (stock is answered, or given back; mails have left; what staff had
    sent again is no such mail), the last event is `end`: do not come back. A stream that is broken off before says
    why, in an event `closed` with a `code`: `token_expired`, when the access token that opened it does; `time_is_up`,
    after five minutes; `stopping`, when the server is. Come back with the `id` of the last event that had one as
    `Last-Event-ID`, as browsers do, and after `token_expired` with another token (the old one is answered 401): it
    goes on there. An entry can come again after that; none is left out.
    """
    yield ServerSentEvent(retry=BACK_AFTER_MILLISECONDS)
    read: set[int] | None = None
    async for timeline in follower:
        read = timeline.read_until(last_event_id) if read is None else read
        for position, entry in timeline.beyond(read):
            read.add(position)
            yield ServerSentEvent(data=entry_out(entry), id=timeline.bookmark(read))
        if timeline.at_rest:
            end = EndOut(state=timeline.state)
            yield ServerSentEvent(data=end, event="end", retry=BACK_AFTER_END_MILLISECONDS)
            return
    yield ServerSentEvent(data=_closed(follower, principal), event="closed")


def _closed(follower: Follower, principal: Principal) -> ClosedOut:
    if follower.let_go:
        return ClosedOut(code="stopping")
    # Two clocks are at work, so not to the millisecond; nobody would get far with what is left of it.
    return ClosedOut(code="token_expired" if principal.expires_at - time.time() < 1 else "time_is_up")
