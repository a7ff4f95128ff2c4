"""The names that cursors had in 0.2.0, on an app of its own."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query

from chassis.http.old_cursors import OldCursors


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()

    @app.get("/things")
    async def list_things(
        cursor: Annotated[str | None, Query()] = None, q: Annotated[str | None, Query()] = None
    ) -> dict[str, str | None]:
        return {"cursor": cursor, "q": q}

    app.add_middleware(OldCursors)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        yield client


@pytest.mark.parametrize(
    ("query", "cursor", "q"),
    [
        ("cursor=1", "1", None),
        ("before=1", "1", None),
        ("after=1", "1", None),
        ("q=mug&after=1", "1", "mug"),
        ("before=%2B1&q=x", "+1", "x"),
        ("q=before=1", None, "before=1"),
        ("q=after", None, "after"),
        ("thereafter=1", None, None),
        ("", None, None),
    ],
)
async def test_an_old_name_is_taken_for_the_new_one(
    api: httpx.AsyncClient, query: str, cursor: str | None, q: str | None
) -> None:
    assert (await api.get(f"/things?{query}")).json() == {"cursor": cursor, "q": q}
