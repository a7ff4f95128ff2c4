"""The migrations of notifier_svc."""

from chassis.persistence.postgres import tables
from chassis.persistence.postgres.migrate import migrate
from notifier_svc import SERVICE, store
from tests.databases import Databases
from tests.servers import Servers
from tests.tables import differences, empty_database, migrated


def test_the_migrated_tables_are_those_of_the_code(databases: Databases) -> None:
    assert differences(databases.postgres(SERVICE), tables.metadata, store.metadata) == []


async def test_two_processes_may_migrate_at_once_and_again(servers: Servers) -> None:
    async with empty_database(servers.postgres) as url:
        await migrated(SERVICE, {"POSTGRES_URL": url}, at_once=2)
        migrate(url, SERVICE)
        assert differences(url, tables.metadata, store.metadata) == []
