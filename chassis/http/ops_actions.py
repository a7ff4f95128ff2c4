"""What ops change: once for each ``Idempotency-Key``, with a reason, and recorded."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from pydantic import Field

from chassis.http.auth import Ops, Principal
from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.container import RestContainer
from chassis.http.errors import IdempotencyKeyReused, OutcomeUnknown, ShopError, Unavailable
from chassis.http.examples import ID
from chassis.http.fields import REASON_PATTERN
from chassis.http.idempotency import Key, key_use
from chassis.http.paging import Page, PageSize, PositionCursor
from chassis.jobs.domain import Action
from chassis.persistence.database import JobStore
from chassis.persistence.errors import CommitOutcomeUnknown, ConcurrentUpdate

TRIES = 10
MAX_TEXT = 500

Why = Annotated[
    str, Field(min_length=1, max_length=MAX_TEXT, pattern=REASON_PATTERN, examples=["the handler is fixed in 1.4.2"])
]
RequiredKey = Annotated[
    Key,
    Header(
        alias="Idempotency-Key",
        description="Send the same key to repeat a request safely: nothing is done twice.",
        examples=[ID],
    ),
]


class Reason(RequestBody):
    """Why it is done; kept with the action."""

    why: Why


class ActionOut(ResponseBody):
    """Something that ops did."""

    position: Annotated[int, Field(examples=[42])]
    at: datetime
    who: Annotated[UUID, Field(description="the account")]
    action: Annotated[str, Field(examples=["letter.edit"])]
    subject: Annotated[str, Field(description="the id of the job, the letter's event, or the order", examples=[ID])]
    why: Why


class ActionsOut(Page[ActionOut, int]):
    """Actions, the newest first."""

    next: Annotated[int | None, Field(examples=[42])]


async def _store(request: Request) -> JobStore[Any]:
    container: RestContainer = request.app.state.container
    return container.database


Store = Annotated[JobStore[Any], Depends(_store)]


@dataclass(frozen=True, slots=True)
class ActionRequest:
    """A request for an action.

    A key belongs to one route: ``route`` names it where it can be used for several actions.
    """

    principal: Principal
    key: str
    action: str
    subject: str
    body: RequestBody
    route: str = ""

    def recorded(self, subject: str, why: str) -> Action:
        """The record of the action; ``subject`` is what it was done to."""
        route = f"{self.route or self.action} {self.subject}"
        use = key_use(self.principal.id, route, self.key, self.body.model_dump_json())
        return Action(use.id, self.principal.id, self.action, subject, why, use.fingerprint)


async def do_once(
    store: JobStore[Any], request: ActionRequest, why: str, work: Callable[[Any], Awaitable[str]]
) -> str:
    """Do the work in a transaction that records it; return its subject. A repeated request does nothing.

    ``work`` takes the transaction, and returns the subject. Raise ``IdempotencyKeyReused``, and what ``work`` raises.
    """
    for attempt in range(1, TRIES + 1):
        try:
            return await _attempt(store, request, why, work)
        except ConcurrentUpdate as conflict:
            if attempt == TRIES:
                raise Unavailable("Too many concurrent changes to the same data; try again.") from conflict
        except CommitOutcomeUnknown as unknown:
            # The record says whether it was done.
            if attempt == TRIES:
                raise OutcomeUnknown from unknown
    raise AssertionError("unreachable")


async def _attempt(
    store: JobStore[Any], request: ActionRequest, why: str, work: Callable[[Any], Awaitable[str]]
) -> str:
    try:
        async with store.transaction() as tx:
            if known := await _known(store, tx, request):
                return known.subject
            subject = await work(tx)
            await store.jobs.record(tx, request.recorded(subject, why))
    except ShopError:
        # The same request, sent twice at once: the other may have done it while this one waited for its locks.
        async with store.transaction() as tx:
            if known := await _known(store, tx, request):
                return known.subject
        raise
    return subject


async def _known(store: JobStore[Any], tx: Any, request: ActionRequest) -> Action | None:
    wanted = request.recorded("", "")
    known = await store.jobs.action(tx, wanted.id)
    if known and known.fingerprint != wanted.fingerprint:
        raise IdempotencyKeyReused
    return known


def add_actions(router: APIRouter) -> None:
    """Add the route that lists actions."""

    @router.get("/actions", summary="List what ops did")
    async def list_actions(
        _ops: Ops,
        store: Store,
        cursor: PositionCursor = None,
        limit: PageSize = 50,
    ) -> ActionsOut:
        """Every change that ops made in this service, the newest first; nothing is ever removed."""
        found = await store.jobs.actions(cursor, limit + 1)
        items = [_action_out(action) for action in found[:limit]]
        return ActionsOut(items=items, next=items[-1].position if len(found) > limit else None)


def _action_out(action: Action) -> ActionOut:
    assert action.at is not None
    return ActionOut(
        position=action.position,
        at=action.at,
        who=action.who,
        action=action.action,
        subject=action.subject,
        why=action.why,
    )
