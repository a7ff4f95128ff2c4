"""The routes of an order's timeline: as a list, and as a stream of server-sent events."""

import time
from collections.abc import AsyncIterable, AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from chassis.http.access_log import log_access
from chassis.http.auth import Authenticated, Principal
from chassis.http.content_negotiation import EventStreamRoute, vary_by_accept
from chassis.http.errors import Unauthenticated
from chassis.http.headers import carries
from chassis.http.routing import new_router, problems
from order_svc.container import Database, Feed, TokenVerifier
from order_svc.errors import OrderNotFound, StreamLimitReached, TooManyStreams
from order_svc.orders.queries import find_order, owner_filter
from order_svc.timeline.dto import ClosedOut, EndOut, TimelineOut, entry_out, timeline_out
from order_svc.timeline.feed import Follower
from order_svc.timeline.queries import timeline_of

router = new_router()
streamed = new_router(route_class=EventStreamRoute)

TIMELINE = "/v1/orders/{order_id}/timeline"
STREAM_SECONDS = 300
"""A stream ends after so long, or when its access token expires; the client reconnects with a valid one."""
RECONNECT_MILLISECONDS = 1000
RECONNECT_AFTER_END_MILLISECONDS = 60_000
"""For clients that always reconnect, as browsers do unless a script closes their source."""
EXAMPLE = (
    "retry: 1000\n\n"
    'data: {"at": "2026-01-02T03:04:05Z", "type": "order.placed", "detail": {"state": "PENDING"}}\n'
    "id: 1-53c1f8a2b4d60e97\n\n"
    'event: end\ndata: {"state": "CONFIRMED"}\nretry: 60000\n\n'
)
STREAM: dict[str, Any] = {"content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}}}
FOLLOWING = problems(Unauthenticated, OrderNotFound, TooManyStreams, StreamLimitReached)
LastEventId = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="the `id` of the last event that was read; the stream continues after it",
        examples=["1-53c1f8a2b4d60e97"],
    ),
]


@router.get(
    TIMELINE,
    tags=["orders"],
    summary="Read an order's timeline",
    responses=FOLLOWING | {200: STREAM | carries("Vary", "X-Accel-Buffering")},
    dependencies=[Depends(vary_by_accept)],
)
async def read_timeline(
    order_id: UUID, principal: Authenticated, database: Database, _last_event_id: LastEventId = None
) -> TimelineOut:
    """Everything that happened to the order so far: its events, saga steps, stock movements and mails.

    A client that prefers server-sent events (`Accept: text/event-stream`) gets the same stream as from
    `/timeline/stream`.
    """
    order = await find_order(database, order_id, owner_filter(principal))
    log_access(principal, "order.read", order_id)
    return timeline_out(order, await timeline_of(database, order_id))


async def _follower(
    order_id: UUID, principal: Authenticated, database: Database, feed: Feed
) -> AsyncIterator[Follower]:
    if principal.expires_at <= time.time():
        # Other routes accept a token for some seconds after it expires. Here a client that reconnects by itself would
        # be accepted and disconnected again and again; a refusal makes browsers give up.
        raise Unauthenticated("The access token has expired.")
    await find_order(database, order_id, owner_filter(principal))
    log_access(principal, "order.read", order_id)
    with feed.follow(order_id, principal.id, min(principal.expires_at - time.time(), STREAM_SECONDS)) as follower:
        yield follower


@streamed.get(
    TIMELINE, response_class=EventSourceResponse, include_in_schema=False, dependencies=[Depends(vary_by_accept)]
)
@router.get(
    f"{TIMELINE}/stream",
    response_class=EventSourceResponse,
    tags=["orders"],
    summary="Stream an order's timeline",
    responses=FOLLOWING
    | {200: STREAM | {"description": "The timeline, as it happens."} | carries("X-Accel-Buffering")},
)
async def stream_timeline(
    principal: Authenticated,
    follower: Annotated[Follower, Depends(_follower)],
    verifier: TokenVerifier,
    last_event_id: LastEventId = None,
) -> AsyncIterable[ServerSentEvent]:
    """The timeline as server-sent events: the entries so far, then each new entry as it happens.

    When nothing more is to come for the order as it is (stock was reserved, refused or released, and mails were
    sent), the last event is `end`: do not reconnect. A stream that closes earlier says why, in an event `closed` with
    a `code`: `token_expired`, when the access token of the request expires or is revoked; `timeout`, after five
    minutes; `stopping`, when the server stops; `displaced`, when the server has no more places and another account
    has fewer streams. Reconnect with the `id` of the last event that had one as `Last-Event-ID`, as browsers do, and
    after `token_expired` with a new token (the old one gets 401). The stream continues there: an entry can be
    repeated, but none is left out.
    """
    yield ServerSentEvent(retry=RECONNECT_MILLISECONDS)
    read: set[int] | None = None
    async for timeline in follower:
        if await verifier.is_revoked(principal):
            yield ServerSentEvent(data=ClosedOut(code="token_expired"), event="closed")
            return
        read = timeline.read_until(last_event_id) if read is None else read
        for position, entry in timeline.unread(read):
            read.add(position)
            yield ServerSentEvent(data=entry_out(entry), id=timeline.bookmark(read))
        if timeline.complete:
            end = EndOut(state=timeline.state)
            yield ServerSentEvent(data=end, event="end", retry=RECONNECT_AFTER_END_MILLISECONDS)
            return
    yield ServerSentEvent(data=_closed(follower, principal), event="closed")


def _closed(follower: Follower, principal: Principal) -> ClosedOut:
    if follower.stopping:
        return ClosedOut(code="stopping")
    if follower.displaced:
        return ClosedOut(code="displaced")
    # Two clocks are involved, so not to the millisecond: what is left of such a token is of no use.
    return ClosedOut(code="token_expired" if principal.expires_at - time.time() < 1 else "timeout")
