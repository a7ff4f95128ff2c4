"""The migrations of product_svc, run as their own process runs them."""

from uuid import uuid4

from chassis.persistence.mongo.database import Mongo
from product_svc import SERVICE
from product_svc.migrations.__main__ import migrate
from tests.databases import drop_mongo
from tests.servers import Servers
from tests.tables import migrated

OURS = {
    "categories": {"_id_", "parent_id_1__id_1"},
    "category_tree": {"_id_"},
    "products": {
        *("_id_", "variants.sku_1", "category_id_1__id_1", "search.name_1__id_1"),
        *("search.offers.facets_1", "text"),
    },
    "imports": {"_id_"},
    "import_faults": {"_id_", "import_id_1_line_1"},
    "stock": {"_id_", "low_1__id_1"},
    "reservations": {"_id_"},
    "idempotency_keys": {"_id_", "until_1"},
    "movements": {"_id_", "sku_1__id_1"},
}


async def shape(url: str) -> dict[str, set[str]]:
    """Collection → its indexes."""
    database = Mongo(url)
    names = await database.db.list_collection_names()
    found = {name: set(await database.db[name].index_information()) for name in names}
    await database.close()
    return found


async def test_two_processes_may_migrate_at_once_and_again(servers: Servers) -> None:
    base, _, options = servers.mongo.partition("/?")
    url = f"{base}/empty_{uuid4().hex[:12]}?{options}"
    await migrated(SERVICE, {"MONGO_URL": url}, at_once=2)
    made = await shape(url)
    await migrate(url)
    assert await shape(url) == made
    assert {name: made[name] for name in OURS} == OURS
    assert {"outbox", "inbox", "dead_letters", "suspects", "leases"} == made.keys() - OURS.keys()
    await drop_mongo(url)
