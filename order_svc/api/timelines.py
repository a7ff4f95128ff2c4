"""The routes that tell what happens to an order: so far, and as it happens."""

from collections.abc import AsyncIterable, AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from chassis.auth import Authenticated
from chassis.errors import Unauthenticated
from chassis.headers import carries
from chassis.rest import new_router, problems
from order_svc import queries
from order_svc.api.needs import Database, Watching, owner
from order_svc.dto import EndOut, TimelineOut, entry_out, timeline_out
from order_svc.errors import OrderUnknown, TooManyFollowed, WatchFull
from order_svc.watch import Follower

router = new_router()

TIMELINE = "/v1/orders/{order_id}/timeline"
STREAM_SECONDS = 300
"""A stream ends after so long; its reader comes back and goes on where it was, with a token that is still good."""
BACK_AFTER_MILLISECONDS = 1000
EXAMPLE = (
    "retry: 1000\n\n"
    'data: {"at": "2026-01-02T03:04:05Z", "type": "order.placed", "detail": {"state": "PENDING"}}\n'
    "id: 1-53c1f8a2b4d60e97\n\n"
    'event: end\ndata: {"state": "CONFIRMED"}\n\n'
)
STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The timeline, as it happens.",
        "content": {"text/event-stream": {"example": EXAMPLE}},
        **carries("Cache-Control", "X-Accel-Buffering"),
    }
}


@router.get(TIMELINE, tags=["orders"], summary="Follow an order", responses=problems(Unauthenticated, OrderUnknown))
async def read_timeline(order_id: UUID, principal: Authenticated, database: Database) -> TimelineOut:
    """Everything that happened to the order so far: its events, the saga's steps, the stock's answers, the mails."""
    order = await queries.order(database, order_id, owner(principal))
    return timeline_out(order, await queries.order_timeline(database, order_id))


async def _following(
    order_id: UUID, principal: Authenticated, database: Database, watch: Watching
) -> AsyncIterator[Follower]:
    await queries.order(database, order_id, owner(principal))
    with watch.follow(order_id, principal.id, STREAM_SECONDS) as follower:
        yield follower


@router.get(
    f"{TIMELINE}/stream",
    response_class=EventSourceResponse,
    tags=["orders"],
    summary="Follow an order as it happens",
    responses=problems(Unauthenticated, OrderUnknown, TooManyFollowed, WatchFull) | STREAM,
)
async def stream_timeline(
    follower: Annotated[Follower, Depends(_following)],
    last_event_id: Annotated[
        str | None,
        Header(
            description="the `id` of the last event that was read; the stream goes on after it",
            examples=["1-53c1f8a2b4d60e97"],
        ),
    ] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events: the timeline's entries, those that are there and then each as it happens.

    When nothing more is due to the order as it is (stock is answered, or given back; mails have left; what staff had
    sent again is no such mail), the last event is `end`. A stream ends
    without it after five minutes, or when the server stops: come back with the `id` of the last event as
    `Last-Event-ID`, as browsers do, and it goes on there. An entry can come again after that; none is left out.
    """
    yield ServerSentEvent(retry=BACK_AFTER_MILLISECONDS)
    read: set[int] | None = None
    async for timeline in follower:
        read = timeline.read_until(last_event_id) if read is None else read
        for position, entry in timeline.beyond(read):
            read.add(position)
            yield ServerSentEvent(data=entry_out(entry), id=timeline.bookmark(read))
        if timeline.at_rest:
            yield ServerSentEvent(data=EndOut(state=timeline.state), event="end")
            return
