"""Imports and exports of those who mean no good, or whose programs are broken."""

import pytest
from uuid_utils.compat import uuid7

from chassis.testing import bearer
from tests import hostile
from tests.answers import believed, malformed_at, refused, survivors, undescribed
from tests.product_svc.imports.import_files import TYPES, begun, send
from tests.product_svc.rest_factories import API, STAFF

ANY_ID = "019b7c61-0000-7000-8000-000000000001"
PATHS = [("GET", "/v1/imports"), ("GET", f"/v1/imports/{ANY_ID}"), ("GET", f"/v1/imports/{ANY_ID}/faults")]
PATHS += [("GET", "/v1/products.csv"), ("POST", f"/v1/imports/{ANY_ID}/parts?first_line=1"), ("POST", "/v1/imports")]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_staff_can_import_and_export(api: API, method: str, path: str) -> None:
    body = {"format": "csv", "lines": 1} if path == "/v1/imports" else None
    refused(await api.request(method, path, json=body), 401, "unauthenticated")
    for role in ("customer", "ops"):
        refused(await api.request(method, path, json=body, headers=bearer(role=role)), 403, "forbidden")
    assert await believed(api, method, path, hostile.bad_tokens("staff"), body) == []


async def test_an_unknown_import_is_not_found(api: API) -> None:
    path = f"/v1/imports/{uuid7()}"
    for asked in (path, f"{path}/faults"):
        refused(await api.get(asked, headers=STAFF), 404, "import_not_found")
    refused(await send(api, path, 1, b"{}"), 404, "import_not_found")


async def test_an_invalid_announcement_is_malformed(api: API) -> None:
    good = {"format": "csv", "lines": 3}
    bodies = [(name, content) for name, content, _ in hostile.edges(good)]
    assert await survivors(api, "/v1/imports", [*bodies, *hostile.NO_OBJECT.items()], STAFF) == []
    for lines in (0, -1, 10_000_001):
        answer = await api.post("/v1/imports", json=good | {"lines": lines}, headers=STAFF)
        assert malformed_at(answer) == {"body/lines"}


async def test_an_invalid_part_is_malformed_and_does_not_advance_the_import(api: API) -> None:
    ours, theirs = await begun(api, 2), await begun(api, 2, "csv")
    assert malformed_at(await send(api, ours, 1, b"a,b", "csv")) == {"header/content-type"}
    assert malformed_at(await send(api, theirs, 1, b"{}")) == {"header/content-type"}
    assert malformed_at(await send(api, ours, 1, b"")) == {"body"}
    assert malformed_at(await send(api, ours, 1, b"\n" * 501)) == {"body"}
    assert malformed_at(await send(api, theirs, 1, b"sku,colour\n", "csv")) == {"body/1"}
    refused(await send(api, theirs, 2, b"a,b", "csv"), 409, "unexpected_line")
    refused(await send(api, ours, 1, hostile.oversized()), 413, "body_too_large")
    headers = {**STAFF, "Content-Type": TYPES["ndjson"]}
    large = await api.post(
        f"{ours}/parts?first_line=1", content=hostile.chunked(hostile.oversized()), headers=headers
    )
    refused(large, 413, "body_too_large")
    for first in ("", "x", "0", "-1", "1.5", "9" * 5000):
        answer = await api.post(f"{ours}/parts?first_line={first}", content=b"{}", headers=headers)
        assert malformed_at(answer) == {"query/first_line"}
    for path in (ours, theirs):
        assert (await api.get(path, headers=STAFF)).json()["done"] == 0


@pytest.mark.parametrize("path", ["imports/{}", "imports/{}/faults", "products.csv?after={}", "products.{}"])
async def test_an_invalid_id_or_format_is_refused(api: API, path: str) -> None:
    api.headers.update(STAFF)
    try:
        assert await undescribed(api, "GET", f"/v1/{path}", hostile.NO_UUID) == []
    finally:
        del api.headers["Authorization"]
