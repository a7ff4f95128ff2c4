"""The ops API of a service, for those who run the shop: what waits, what was handled, what was set aside.

Long answers are NDJSON: a JSON object a line, each with its ``kind``, of one moment of the store. The last
line is ``{"kind": "end", "lines": n}``; an answer without it broke off.
"""

import json
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Any

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from chassis.auth import Ops
from chassis.database import Database, Snapshot, printable
from chassis.errors import Forbidden, Unauthenticated
from chassis.examples import ID, MOMENT
from chassis.pieces import Pieces
from chassis.rest import new_router, state
from schemas import Event

NDJSON = "application/x-ndjson"
Query = Any
"""What the snapshots of the service's database take."""
Queries = Callable[[Snapshot], Sequence[Query]]

Store = Annotated[Database[Any], state("database")]


class SummaryOut(BaseModel):
    """What waits in a service."""

    model_config = ConfigDict(frozen=True)

    service: Annotated[str, Field(examples=["order_svc"])]
    group: Annotated[
        str,
        Field(description="its consumer group, without the prefix of the installation", examples=["order_svc"]),
    ]
    handles: Annotated[
        list[str], Field(description="the types of the events that it handles", examples=[["stock.reserved"]])
    ]
    outbox_waiting: Annotated[
        int, Field(description="events that are committed and not known to be on their topic", examples=[0])
    ]
    dead_letters: Annotated[
        dict[str, int],
        Field(
            description="`dead` (could not be handled) and `parked` (behind one that could not)",
            examples=[{"dead": 0, "parked": 0}],
        ),
    ]


def ops_router(
    service: str, handles: Collection[type[Event]], ledger: Sequence[Query], line: Mapping[str, Any]
) -> APIRouter:
    """The routes. ``ledger`` are the queries for what this service alone has; their rows have a ``kind``.

    One of these looks like the ``line``.
    """
    router = new_router(Unauthenticated, Forbidden, prefix="/v1/ops", tags=["ops"])

    @router.get("/summary", summary="Read what waits in the service")
    async def summary(_ops: Ops, database: Store) -> SummaryOut:
        """Events in the outbox, dead letters, and what the service listens to."""
        async with database.snapshot() as snapshot:
            waiting, buried = await snapshot.waiting(), await snapshot.buried()
        return SummaryOut(
            service=service,
            group=service,
            handles=sorted({event.type for event in handles}),
            outbox_waiting=waiting,
            dead_letters={"dead": 0, "parked": 0, **buried},
        )

    def stream(path: str, title: str, told: str, queries: Queries, line: Mapping[str, Any]) -> None:
        answers: dict[int | str, dict[str, Any]] = {
            200: {"content": {NDJSON: {"schema": {"type": "string"}, "example": f"{json.dumps(line)}\n{_END}"}}}
        }

        @router.get(path, status_code=200, summary=title, description=told, response_class=Pieces, responses=answers)
        async def read(_ops: Ops, database: Store) -> Pieces:
            return await _answer(database, queries)

    stream("/ledger", "Stream what the service has", _LEDGER, lambda _: ledger, line)
    stream("/outbox", "Stream the events that wait", _OUTBOX, lambda snapshot: [snapshot.outbox], _WAITING)
    stream("/inbox", "Stream the events that were handled", _INBOX, lambda snapshot: [snapshot.inbox], _HANDLED)
    stream("/dead-letters", "Stream what was set aside", _LETTERS, lambda snapshot: [snapshot.dead_letters], _DEAD)
    return router


_LEDGER = "Everything that the service has, as of one moment, each with its version: the number of events told of it."
_OUTBOX = "Committed events that are not known to be on their topic: event_id, topic, key, version, at."
_INBOX = "The ids of all events that the service's consumer group has handled: group, event_id."
_LETTERS = (
    "Events that could not be handled (dead), and those parked behind them: event_id, group, state, topic,"
    " partition, offset, key, reason, detail, fingerprint, at. Headers and values stay here: they may be personal."
)

_END = '{"kind": "end", "lines": 1}\n'
_WAITING = {
    **{"kind": "waiting", "event_id": ID, "topic": "order.events", "key": ID},
    **{"version": "1", "at": MOMENT},
}
_HANDLED = {"kind": "handled", "group": "order_svc", "event_id": ID}
_DEAD = {
    **{"kind": "dead_letter", "event_id": ID, "group": "order_svc", "state": "dead"},
    **{"topic": "stock.events", "partition": 0, "offset": 4711, "key": ID},
    **{"reason": "unknown_type", "detail": "Undecodable('unknown_type: urn:shopstream:schema:stock.reserved:9')"},
    **{"fingerprint": "9f86d081884c7d65", "at": MOMENT},
}


async def _answer(database: Database[Any], queries: Queries) -> Pieces:
    chunks = _chunks(database, queries)
    return await Pieces.beginning(chunks, NDJSON)


async def _chunks(database: Database[Any], queries: Queries) -> AsyncGenerator[bytes, None]:
    count = 0
    async with database.snapshot() as snapshot:
        for query in queries(snapshot):
            async with aclosing(snapshot.rows(query)) as batches:
                async for rows in batches:
                    count += len(rows)
                    yield b"".join(map(_line, rows))
    yield _line({"kind": "end", "lines": count})


def _line(row: Mapping[str, Any]) -> bytes:
    return orjson.dumps(row, default=_text, option=orjson.OPT_APPEND_NEWLINE)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return printable(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
