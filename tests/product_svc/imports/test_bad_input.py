"""Malformed and malicious imports and exports."""

import pytest
from uuid_utils.compat import uuid7

from chassis.testing import bearer
from tests import bad_inputs
from tests.product_svc.imports.import_files import TYPES, begun, send
from tests.product_svc.rest_factories import API, STAFF
from tests.responses import accepted_bodies, accepted_tokens, accepted_values, assert_problem, malformed_fields

ANY_ID = "019b7c61-0000-7000-8000-000000000001"
PATHS = [("GET", "/v1/imports"), ("GET", f"/v1/imports/{ANY_ID}"), ("GET", f"/v1/imports/{ANY_ID}/faults")]
PATHS += [("GET", "/v1/products.csv"), ("POST", f"/v1/imports/{ANY_ID}/parts?first_line=1"), ("POST", "/v1/imports")]


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_only_staff_can_import_and_export(api: API, method: str, path: str) -> None:
    body = {"format": "csv", "lines": 1} if path == "/v1/imports" else None
    assert_problem(await api.request(method, path, json=body), 401, "unauthenticated")
    for role in ("customer", "ops"):
        assert_problem(await api.request(method, path, json=body, headers=bearer(role=role)), 403, "forbidden")
    assert await accepted_tokens(api, method, path, bad_inputs.bad_tokens("staff"), body) == []


async def test_an_unknown_import_is_not_found(api: API) -> None:
    path = f"/v1/imports/{uuid7()}"
    for address in (path, f"{path}/faults"):
        assert_problem(await api.get(address, headers=STAFF), 404, "import_not_found")
    assert_problem(await send(api, path, 1, b"{}"), 404, "import_not_found")


async def test_an_invalid_announcement_is_malformed(api: API) -> None:
    good = {"format": "csv", "lines": 3}
    bodies = [(name, content) for name, content, _ in bad_inputs.invalid_bodies(good)]
    assert await accepted_bodies(api, "/v1/imports", [*bodies, *bad_inputs.NOT_AN_OBJECT.items()], STAFF) == []
    for lines in (0, -1, 10_000_001):
        response = await api.post("/v1/imports", json=good | {"lines": lines}, headers=STAFF)
        assert malformed_fields(response) == {"body/lines"}


async def test_an_invalid_part_is_malformed_and_does_not_advance_the_import(api: API) -> None:
    ours, theirs = await begun(api, 2), await begun(api, 2, "csv")
    for wrong in (await send(api, ours, 1, b"a,b", "csv"), await send(api, theirs, 1, b"{}")):
        accepted = assert_problem(wrong, 415, "unsupported_media_type")["accepted"]
        assert wrong.headers["accept"] == accepted
    assert malformed_fields(await send(api, ours, 1, b"")) == {"body"}
    assert malformed_fields(await send(api, ours, 1, b"\n" * 501)) == {"body"}
    assert malformed_fields(await send(api, theirs, 1, b"sku,colour\n", "csv")) == {"body/1"}
    assert_problem(await send(api, theirs, 2, b"a,b", "csv"), 409, "unexpected_line")
    assert_problem(await send(api, ours, 1, bad_inputs.oversized()), 413, "body_too_large")
    headers = {**STAFF, "Content-Type": TYPES["ndjson"]}
    large = await api.post(
        f"{ours}/parts?first_line=1", content=bad_inputs.chunked(bad_inputs.oversized()), headers=headers
    )
    assert_problem(large, 413, "body_too_large")
    for first in ("", "x", "0", "-1", "1.5", "9" * 5000):
        response = await api.post(f"{ours}/parts?first_line={first}", content=b"{}", headers=headers)
        assert malformed_fields(response) == {"query/first_line"}
    for path in (ours, theirs):
        assert (await api.get(path, headers=STAFF)).json()["done"] == 0


@pytest.mark.parametrize("path", ["imports/{}", "imports/{}/faults", "products.csv?cursor={}", "products.{}"])
async def test_an_invalid_id_or_format_is_refused(api: API, path: str) -> None:
    api.headers.update(STAFF)
    try:
        assert await accepted_values(api, "GET", f"/v1/{path}", bad_inputs.NOT_A_UUID) == []
    finally:
        del api.headers["Authorization"]
