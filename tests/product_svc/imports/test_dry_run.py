"""A dry run finds the faults of a file, and imports nothing."""

from typing import Any

from chassis.persistence.mongo.database import Mongo
from tests.product_svc.factories import new_sku
from tests.product_svc.imports.import_files import line, ndjson, taken
from tests.product_svc.rest_factories import API, STAFF, added


async def begun_dry(api: API, lines: int, form: str = "ndjson") -> str:
    body = {"format": form, "lines": lines, "dry_run": True}
    response = await api.post("/v1/imports", json=body, headers=STAFF)
    assert (response.status_code, response.json()["dry_run"]) == (201, True)
    return str(response.headers["location"])


async def contents(mongo: Mongo) -> dict[str, Any]:
    names = ("products", "stock", "categories", "outbox")
    return {name: await mongo.db[name].find().sort("_id").to_list() for name in names}


async def test_nothing_is_imported_and_every_fault_is_recorded(api: API, shared: Mongo) -> None:
    mine, theirs, new = new_sku(), new_sku(), new_sku()
    await added(api, mine)
    owner = await added(api, theirs)
    before = await contents(shared)
    path = await begun_dry(api, 5)
    lines = (line(new), line(mine, name="Other"), line(mine, theirs), {"name": 1}, line(new, name="Cup", version=9))
    progress = await taken(api, path, 1, ndjson(*lines))
    assert [progress[name] for name in ("created", "changed", "failed", "next_line")] == [1, 1, 3, None]
    faults = (await api.get(f"{path}/faults", headers=STAFF)).json()["items"]
    # A line sees what the lines before it in its part would have done.
    assert [(one["line"], one["code"]) for one in faults] == [
        (3, "sku_taken"),
        (4, "malformed_line"),
        (5, "precondition_failed"),
    ]
    assert await contents(shared) == before
    assert (await api.get(f"/v1/products/{owner['id']}")).json()["version"] == 1


async def test_the_rows_of_one_product_may_be_in_two_parts(api: API) -> None:
    mug, cup = new_sku(), new_sku()
    await added(api, mug, cup)
    path = await begun_dry(api, 3, "csv")
    await taken(api, path, 1, f"version,sku,name,price,currency\n1,{mug},Mug,7,EUR\n".encode(), "csv")
    progress = await taken(api, path, 3, f"1,{cup},Mug,7,EUR".encode(), "csv")
    assert (progress["changed"], progress["failed"]) == (2, 0)
