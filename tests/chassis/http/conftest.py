"""The ops API of the tally service, on both databases, for the fixture ``api``."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from chassis.http.app import create_app
from chassis.http.auth import Verifier
from chassis.http.bodies import ResponseBody
from chassis.http.ops_routes import ops_router
from chassis.http.trace_routes import TracePart
from chassis.persistence.database import Database
from chassis.testing import bearer, test_keys
from tests.chassis.tally import HANDLERS
from tests.responses import checked_client


class Idle:
    """There is nothing to commit."""

    async def run(self) -> None:
        await asyncio.Event().wait()


@dataclass(frozen=True)
class Container:
    database: Database[Any]
    commit: Any
    verifier: Verifier


class TraceOut(ResponseBody):
    """Nothing."""


async def _no_trace(_database: Any, _key: UUID, _customer: UUID | None) -> TraceOut:
    return TraceOut()


@pytest.fixture
async def api(database: Database[Any]) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the role ops, which fails on responses that the OpenAPI does not promise."""

    @asynccontextmanager
    async def container() -> AsyncIterator[Container]:
        yield Container(database, Idle(), Verifier(test_keys, "shopstream", "order_svc"))

    trace = TracePart("Nothing.", TraceOut, _no_trace)
    ops = ops_router("tally_svc", HANDLERS, [], {"kind": "tally"}, trace)
    async with checked_client(create_app("tally_svc", "Tallies", open_container=container, ops=ops)) as client:
        client.headers.update(bearer(role="ops"))
        yield client
