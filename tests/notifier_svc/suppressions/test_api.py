"""The suppressions API."""

from uuid import UUID

import httpx
import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from tests import bad_inputs
from tests.notifier_svc.ledger import add_suppression, all_suppressions
from tests.responses import accepted_tokens, accepted_values, assert_problem

API = httpx.AsyncClient
STAFF = bearer(role="staff")
SUPPRESSIONS = "/v1/suppressions"
ROUTES = [
    ("GET", SUPPRESSIONS),
    ("GET", f"{SUPPRESSIONS}/{UUID(int=1)}"),
    ("DELETE", f"{SUPPRESSIONS}/{UUID(int=1)}"),
]


async def test_a_suppression_is_listed_until_staff_delete_it(api: API, shared: Postgres) -> None:
    addresses = [f"{uuid7()}@example.com" for _ in range(3)]
    ids = [await add_suppression(shared, email) for email in addresses]
    page = (await api.get(SUPPRESSIONS, params={"limit": 2}, headers=STAFF)).json()
    assert [one["email"] for one in page["items"]] == addresses[:0:-1]
    rest = (await api.get(SUPPRESSIONS, params={"cursor": page["next"]}, headers=STAFF)).json()
    assert rest["items"][0]["id"] == str(ids[0])
    one = f"{SUPPRESSIONS}/{ids[0]}"
    read = await api.get(one, headers=STAFF)
    assert (read.json()["email"], read.json()["reason"]) == (addresses[0], "550")
    assert_problem(await api.delete(one, headers=STAFF), 428, "precondition_required")
    assert_problem(await api.delete(one, headers={**STAFF, "If-Match": '"1"'}), 412, "precondition_failed")
    assert (await api.delete(one, headers={**STAFF, "If-Match": read.headers["etag"]})).status_code == 204
    assert_problem(await api.delete(one, headers={**STAFF, "If-Match": "*"}), 404, "suppression_not_found")
    assert_problem(await api.get(one, headers=STAFF), 404, "suppression_not_found")
    assert addresses[0] not in [one.email for one in await all_suppressions(shared)]


@pytest.mark.parametrize(("method", "route"), ROUTES, ids=str)
async def test_only_staff_see_and_delete_suppressions(api: API, method: str, route: str) -> None:
    assert await accepted_tokens(api, method, route, bad_inputs.bad_tokens()) == []
    for role in ("customer", "ops"):
        assert_problem(await api.request(method, route, headers=bearer(role=role)), 403, "forbidden")


async def test_a_malformed_id_or_cursor_is_refused(api: API) -> None:
    api.headers.update(STAFF)
    assert await accepted_values(api, "GET", SUPPRESSIONS + "/{}", bad_inputs.NOT_A_UUID) == []
    assert await accepted_values(api, "GET", SUPPRESSIONS + "?cursor={}", ("", "-1", "x", str(2**63))) == []
    for name in STAFF:
        del api.headers[name]
