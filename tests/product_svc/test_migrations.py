"""The migrations of product_svc: on an empty database, and on those of earlier releases."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from product_svc import SERVICE
from product_svc.catalogue.store import product_document, read_product
from product_svc.imports.queries import import_
from product_svc.main import build
from product_svc.migrations.__main__ import migrate
from product_svc.reservations.store import read_reservation
from product_svc.stock.store import read_stock
from tests.databases import drop_mongo
from tests.product_svc.apps import settings
from tests.responses import checked_client
from tests.servers import Servers
from tests.tables import migrated

VERSIONS = ["m001_search_fields", "m002_discontinued_stock", "m003_attempts", "m004_field_names", "m005_offers"]
OPS = {"jobs", "actions", "subscriptions"}
CHASSIS = {"outbox", "inbox", "dead_letters", "attempts", "leases", "wake_ups", "schema_migrations", *OPS}
OURS = {
    "categories": {"_id_", "parent_id_1__id_1"},
    "category_tree": {"_id_"},
    "products": {"_id_", "variants.sku_1", "category_id_1__id_1", "by_term"},
    "offers": {"_id_", "by_product", "by_name", "by_price"},
    "imports": {"_id_"},
    "import_faults": {"_id_", "import_id_1_line_1"},
    "stock": {"_id_", "low_1__id_1"},
    "reservations": {"_id_", "amendment.lines.sku_1__id_-1", "lines.sku_1__id_-1"},
    "idempotency_keys": {"_id_", "until_1"},
    "movements": {"_id_", "sku_1__id_1", "note_1"},
}


@pytest.fixture
async def url(servers: Servers) -> AsyncIterator[str]:
    """A database with nothing in it."""
    base, _, options = servers.mongo.partition("/?")
    url = f"{base}/empty_{uuid4().hex[:12]}?{options}"
    yield url
    await drop_mongo(url)


@pytest.fixture
async def database(url: str) -> AsyncIterator[Mongo]:
    database = Mongo(url)
    yield database
    await database.close()


async def shape(database: Mongo) -> dict[str, set[str]]:
    """Collection → its indexes."""
    names = await database.db.list_collection_names()
    return {name: set(await database.db[name].index_information()) for name in names}


async def records(database: Mongo) -> list[dict[str, Any]]:
    return await database.db.schema_migrations.find().sort("_id").to_list()


async def one(database: Mongo, collection: str) -> dict[str, Any]:
    [document] = await database.db[collection].find().to_list()
    return document


async def test_two_processes_may_migrate_concurrently_and_again(url: str, database: Mongo) -> None:
    await migrated(SERVICE, {"MONGO_URL": url}, at_once=2)
    made, ran = await shape(database), await records(database)
    assert {name: made[name] for name in OURS} == OURS
    assert made.keys() - OURS.keys() == CHASSIS
    assert [record["_id"] for record in ran] == VERSIONS
    await migrate(url)
    assert (await shape(database), await records(database)) == (made, ran)


async def test_the_attempts_of_an_earlier_release_are_kept(url: str, database: Mongo) -> None:
    await database.db.suspects.insert_one({"_id": "product_svc/1", "starts": 2})
    await migrate(url)
    assert await one(database, "attempts") == {"_id": "product_svc/1", "starts": 2}
    assert "suspects" not in await shape(database)


async def test_attempts_that_a_process_has_counted_before_the_migration_are_kept(url: str, database: Mongo) -> None:
    await database.db.suspects.insert_one({"_id": "product_svc/1", "starts": 2})
    await database.db.attempts.insert_one({"_id": "product_svc/2", "starts": 1})
    await migrate(url)
    assert await one(database, "attempts") == {"_id": "product_svc/2", "starts": 1}
    assert "suspects" not in await shape(database)


async def test_fields_of_an_earlier_release_are_renamed(url: str, database: Mongo) -> None:
    import_id, db = uuid7(), database.db
    counts = dict.fromkeys(("lines", "done", "created", "changed", "unchanged", "failed"), 0)
    run = {"product_id": uuid7(), "stated": 3, "left": 4}
    await db.stock.insert_one(
        {"_id": "MUG", "on_hand": 5, "reserved": 2, "version": 1, "changed_at": 0, "low_at": 7, "low": True}
    )
    await db.reservations.insert_one(
        {"_id": uuid7(), "state": "held", "lines": [], "version": 1, "changed_at": 0, "revision": 2, "asked": 3}
    )
    await db.imports.insert_one(
        {
            **{"_id": import_id, "format": "csv", "by": uuid7(), "started_at": 0, "changed_at": 0, **counts},
            **{"columns": None, "run": run},
        }
    )
    await db.idempotency_keys.insert_one({"_id": uuid7(), "answer": "{}"})
    await db.import_faults.insert_many(
        [
            {"_id": uuid7(), "line": line, "code": code}
            for line, code in enumerate(["status_not_possible", "sku_taken"])
        ]
    )
    await migrate(url)
    assert read_stock(await one(database, "stock"))[1].threshold == 7
    assert read_reservation(await one(database, "reservations"))[1].latest_revision == 3
    known = await import_(database, import_id)
    assert known.run
    assert (known.run.stated_version, known.run.version) == (3, 4)
    assert (await one(database, "idempotency_keys")).keys() == {"_id", "response"}
    codes = [fault["code"] async for fault in db.import_faults.find().sort("line")]
    assert codes == ["transition_not_allowed", "sku_taken"]


async def test_a_version_that_ran_does_not_run_again(url: str, database: Mongo) -> None:
    await migrate(url)
    await database.db.stock.insert_one({"_id": "MUG", "low_at": 7})
    await migrate(url)
    assert await one(database, "stock") == {"_id": "MUG", "low_at": 7}


async def test_a_product_of_the_first_release_is_found_after_the_migration(url: str, database: Mongo) -> None:
    id_ = uuid7()
    old = {"_id": id_, "name": "Oldest jars", "attributes": {"material": "clay"}, "version": 1, "changed_at": 10**6}
    variants = [{"sku": sku, "price": {"amount": 5, "currency": "EUR"}} for sku in ("JAR", "JAR-2")]
    await database.db.products.insert_one(old | {"variants": variants})
    numbers = {"on_hand": 3, "version": 0, "changed_at": 0}
    stock = [{"_id": "JAR", "reserved": 2, **numbers}, {"_id": "JAR-2", "reserved": 3, **numbers}]
    await database.db.stock.insert_many(stock)
    await database.db.products.create_index([("name", "text")], name="text")
    await migrate(url)
    # Processes of the release before search with the index of words.
    assert (await shape(database))["products"] == OURS["products"] | {"text"}
    async with checked_client(build(settings(url))) as api:
        [read] = (await api.get("/v1/products?sku=JAR")).json()["items"]
        assert (read["name"], read["status"]) == ("Oldest jars", "active")
        assert datetime.fromisoformat(read["created_at"]).timestamp() == pytest.approx((id_.int >> 80) / 1000)
        assert read["updated_at"] == "1970-01-01T00:00:01Z"
        query = "q=jar&attribute=material:clay&sort=price&currency=EUR&available=true"
        assert (await api.get(f"/v1/products?{query}")).json()["items"] == [read]
        assert (await api.get("/v1/products?available=true&sku=JAR-2")).json()["items"] == []
    document = await one(database, "products")
    assert document == product_document(read_product(document)[1])


async def test_stock_that_is_not_for_sale_is_marked(url: str, database: Mongo) -> None:
    price, part = {"amount": 5, "currency": "EUR"}, {"attributes": {}, "version": 1, "changed_at": 0}
    variants = [{"sku": "CUP", "price": price, "status": "discontinued"}, {"sku": "MUG", "price": price}]
    await database.db.products.insert_many(
        [
            {"_id": uuid7(), "name": "Mug", "variants": variants, **part},
            {"_id": uuid7(), "name": "Jar", "variants": [{"sku": "JAR", "price": price}], "status": "draft", **part},
        ]
    )
    numbers = {"on_hand": 0, "reserved": 0, "version": 0, "changed_at": 0}
    await database.db.stock.insert_many([{"_id": sku, **numbers} for sku in ("CUP", "MUG", "JAR")])
    await migrate(url)
    found = [read_stock(document)[1] async for document in database.db.stock.find().sort("_id")]
    assert [(stock.sku, stock.discontinued) for stock in found] == [("CUP", True), ("JAR", True), ("MUG", False)]
    assert [stock.product_name for stock in found] == ["Mug", "Jar", "Mug"]
