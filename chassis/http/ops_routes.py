"""The ops API of a service: its outbox, its inbox, its dead letters, and its own records.

Long responses are NDJSON: a JSON object a line, each with its ``kind``, all as of one moment. The last
line is ``{"kind": "end", "lines": n}``; a response without it was cut off. Programs that know no NDJSON, as generated
clients, get the same bytes as ``application/octet-stream``.
"""

import json
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers

from chassis.http.auth import Ops
from chassis.http.container import RestContainer
from chassis.http.content_negotiation import OCTETS, prefers
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.examples import ID, MOMENT
from chassis.http.headers import carries
from chassis.http.letter_routes import add_letters
from chassis.http.lookup_routes import add_lookup
from chassis.http.ops_actions import add_actions
from chassis.http.rebuild_routes import add_rebuilds
from chassis.http.redrive_routes import add_redrives
from chassis.http.replay_routes import add_replays
from chassis.http.routing import new_router
from chassis.http.streaming import StreamingBody
from chassis.http.trace_routes import TracePart, add_trace
from chassis.messaging.records import printable
from chassis.persistence.snapshots import Snapshot, Snapshots
from schemas import Event

NDJSON = "application/x-ndjson"
Query = Any
"""A query as the snapshots of the service's database take it."""
Queries = Callable[[Snapshot], Sequence[Query]]


async def _snapshots(request: Request) -> Snapshots:
    container: RestContainer = request.app.state.container
    return container.database


Store = Annotated[Snapshots, Depends(_snapshots)]


class SummaryOut(BaseModel):
    """What is pending in a service."""

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
        int, Field(description="committed events whose publication is not confirmed yet", examples=[0])
    ]
    dead_letters: Annotated[
        dict[str, int],
        Field(
            description="`dead` (could not be handled) and `parked` (behind one that could not)",
            examples=[{"dead": 0, "parked": 0}],
        ),
    ]


def ops_router(
    service: str,
    handles: Collection[type[Event]],
    ledger: Sequence[Query],
    line: Mapping[str, Any],
    trace: TracePart,
    replicas: Sequence[str] = (),
) -> APIRouter:
    """The routes. ``ledger`` are the queries for the service's own records; their rows have a ``kind``.

    ``line`` is an example of one. ``trace`` reads what the service knows of one order or customer.
    ``replicas`` are those that can be rebuilt.
    """
    router = new_router(Unauthenticated, Forbidden, prefix="/v1/ops", tags=["ops"])

    @router.get("/summary", summary="Read what is pending in the service")
    async def read_summary(_ops: Ops, database: Store) -> SummaryOut:
        """The events in the outbox, the dead letters, and the event types that the service handles."""
        async with database.snapshot() as snapshot:
            waiting, letters = await snapshot.outbox_size(), await snapshot.dead_letters_by_state()
        return SummaryOut(
            service=service,
            group=service,
            handles=sorted({event.type for event in handles}),
            outbox_waiting=waiting,
            dead_letters={"dead": 0, "parked": 0, **letters},
        )

    def stream(path: str, title: str, description: str, queries: Queries, line: Mapping[str, Any]) -> None:
        example = f"{json.dumps(line)}\n{_END}"
        responses: dict[int | str, dict[str, Any]] = {
            200: {
                "content": {
                    NDJSON: {"schema": {"type": "string"}, "example": example},
                    OCTETS: {"schema": {"type": "string", "format": "binary"}, "example": example},
                },
                **carries("Vary"),
            }
        }

        @router.get(
            path,
            status_code=200,
            name=f"stream_{path[1:].replace('-', '_')}",
            summary=title,
            description=description,
            response_class=StreamingBody,
            responses=responses,
        )
        async def read(request: Request, _ops: Ops, database: Store) -> StreamingBody:
            return await _stream(database, queries, request.headers)

    stream("/ledger", "Stream the service's own records", _LEDGER, lambda _: ledger, line)
    stream("/outbox", "Stream the events in the outbox", _OUTBOX, lambda snapshot: [snapshot.outbox], _WAITING)
    stream("/inbox", "Stream the events that were handled", _INBOX, lambda snapshot: [snapshot.inbox], _HANDLED)
    stream("/dead-letters", "Stream the dead letters", _LETTERS, lambda snapshot: [snapshot.dead_letters], _DEAD)
    add_letters(router)
    add_redrives(router, service)
    add_replays(router, service, handles)
    add_actions(router)
    add_lookup(router, service)
    add_trace(router, trace)
    if replicas:
        add_rebuilds(router, service, replicas)
    return router


_LEDGER = (
    "Every aggregate of the service as of one moment, with its version: the number of events published about it."
)
_OUTBOX = "Committed events whose publication is not confirmed yet: event_id, topic, key, version, at."
_INBOX = "The ids of all events that the service's consumer group has handled: group, event_id."
_LETTERS = (
    "Events that could not be handled (dead), and those parked behind them: event_id, group, state, topic,"
    " partition, offset, key, reason, detail, fingerprint, at. Headers and values are not included: they may be"
    " personal data."
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


async def _stream(database: Snapshots, queries: Queries, headers: Headers) -> StreamingBody:
    chunks = _chunks(database, queries)
    as_file = prefers(",".join(headers.getlist("accept")), OCTETS, NDJSON)
    response = await StreamingBody.starting(chunks, OCTETS if as_file else NDJSON)
    response.headers["Vary"] = "Accept"
    return response


async def _chunks(database: Snapshots, queries: Queries) -> AsyncGenerator[bytes, None]:
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
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
