"""The migrations of notifier_svc."""

import chassis.sql
from chassis.migrate import migrate
from notifier_svc import SERVICE, store
from tests.databases import Databases
from tests.tables import differences


def test_the_migrated_tables_are_those_of_the_code(databases: Databases) -> None:
    assert differences(databases.postgres(SERVICE), chassis.sql.metadata, store.metadata) == []


def test_to_migrate_again_changes_nothing(databases: Databases) -> None:
    url = databases.postgres(SERVICE)
    migrate(url, SERVICE)
    assert differences(url, chassis.sql.metadata, store.metadata) == []
