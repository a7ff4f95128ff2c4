"""The migrations of order_svc, run as their own processes run them."""

from chassis.persistence.postgres import tables
from order_svc import SERVICE, customer_rows, store
from tests.databases import Databases
from tests.servers import Servers
from tests.tables import differences, empty_database, migrated

TABLES = (tables.metadata, store.metadata, customer_rows.metadata)


async def test_two_processes_may_migrate_at_once(servers: Servers) -> None:
    async with empty_database(servers.postgres) as url:
        await migrated(SERVICE, {"POSTGRES_URL": url}, at_once=2)
        assert differences(url, *TABLES) == []


def test_the_migrated_tables_are_those_of_the_code(databases: Databases) -> None:
    assert differences(databases.postgres(SERVICE), *TABLES) == []
