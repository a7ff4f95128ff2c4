"""The route that shows what the service itself has stored about an order or a customer: its part of a trace."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request

from chassis.http.auth import Ops
from chassis.http.bodies import ResponseBody
from chassis.http.container import RestContainer
from chassis.http.examples import ID

Read = Callable[[Any, UUID, UUID | None], Awaitable[ResponseBody]]
"""Reads the part from the service's database, for a key and the customer whose order it is, where that is known."""


@dataclass(frozen=True, slots=True)
class TracePart:
    """A service's part of a trace: what it is, the response's body, and what reads it."""

    description: str
    model: type[ResponseBody]
    read: Read


async def _database(request: Request) -> Any:
    container: RestContainer = request.app.state.container
    return container.database


Database = Annotated[Any, Depends(_database)]
Key = Annotated[UUID, Path(description="the id of an order or of a customer", examples=[ID])]
CustomerId = Annotated[
    UUID | None,
    Query(description="the order's customer, where you know it: it saves notifier_svc a search of all mails"),
]


def add_trace(router: APIRouter, part: TracePart) -> None:
    """Add the route to a service's ops routes."""

    @router.get(
        "/traces/{key}",
        summary="Read the service's part of a trace",
        description=f"{part.description}\n\n{_NOTHING}",
        response_model=part.model,
    )
    async def read_trace(key: Key, _ops: Ops, database: Database, customer_id: CustomerId = None) -> ResponseBody:
        return await part.read(database, key, customer_id)


_NOTHING = (
    "Where nothing is known of the key, the lists are empty: an order may not have reached the service yet. No"
    " addresses, names or texts are shown. What became of events is said by `POST /v1/ops/lookup`."
)
