"""The migrations of notifier_svc."""

from chassis.persistence.postgres import tables
from chassis.persistence.postgres.migrate import migrate
from notifier_svc import SERVICE
from notifier_svc.mails import store as mails
from notifier_svc.replicas import store as replicas
from notifier_svc.suppressions import store as suppressions
from tests.databases import Databases
from tests.servers import Servers
from tests.tables import differences, empty_database, migrated

TABLES = (tables.metadata, mails.metadata, replicas.metadata, suppressions.metadata)


def test_migrations_create_the_tables_that_the_code_describes(databases: Databases) -> None:
    assert differences(databases.postgres(SERVICE), *TABLES) == []


async def test_two_processes_can_migrate_at_the_same_time_and_again(servers: Servers) -> None:
    async with empty_database(servers.postgres) as url:
        await migrated(SERVICE, {"POSTGRES_URL": url}, at_once=2)
        migrate(url, SERVICE)
        assert differences(url, *TABLES) == []
