"""The route that says what the service's consumer group did with events, by their ids."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from chassis.http.auth import Ops
from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.container import RestContainer
from chassis.http.examples import ID, MOMENT
from chassis.persistence.database import EventStore

MAX_IDS = 1000
Verdict = Literal["handled", "dead", "parked", "redriven", "discarded", "unknown"]


class LookupBody(RequestBody):
    """The events to look up."""

    event_ids: Annotated[
        list[Annotated[UUID, Field(strict=False)]], Field(min_length=1, max_length=MAX_IDS, examples=[[ID]])
    ]


class FoundEventOut(ResponseBody):
    """What the consumer group did with an event."""

    event_id: UUID
    verdict: Annotated[
        Verdict,
        Field(
            description="`handled`; `dead` (could not be handled) or `parked` (behind one that could not); `redriven`"
            " or `discarded` (was a dead letter); `unknown`: not handled yet, or of no interest to the group",
            examples=["handled"],
        ),
    ]
    at: Annotated[
        datetime | None,
        Field(description="when it was dead-lettered; `null` otherwise: the inbox has no times", examples=[MOMENT]),
    ]


class LookupOut(ResponseBody):
    """What the consumer group did with the events, each id once, in the order of the request."""

    items: list[FoundEventOut]


async def _database(request: Request) -> EventStore[Any]:
    container: RestContainer = request.app.state.container
    return container.database


Database = Annotated[EventStore[Any], Depends(_database)]


def add_lookup(router: APIRouter, group: str) -> None:
    """Add the route to a service's ops routes; ``group`` is its consumer group."""

    @router.post("/lookup", summary="Look up what became of events")
    async def look_up_events(body: LookupBody, _ops: Ops, database: Database) -> LookupOut:
        """Whether the service's consumer group has handled these events. It changes nothing, so it needs no key."""
        return LookupOut(items=await _found(database, group, list(dict.fromkeys(body.event_ids))))


async def _found(database: EventStore[Any], group: str, ids: Sequence[UUID]) -> list[FoundEventOut]:
    # The inbox first: an event that is dead-lettered in between must not look as if it had been handled.
    known = await database.inbox.known(group, ids)
    letters = await database.dead_letters.states(group, ids)

    def found(event_id: UUID) -> FoundEventOut:
        if letter := letters.get(event_id):
            return FoundEventOut(event_id=event_id, verdict=letter.state, at=letter.at)
        return FoundEventOut(event_id=event_id, verdict="handled" if event_id in known else "unknown", at=None)

    return [found(event_id) for event_id in ids]
