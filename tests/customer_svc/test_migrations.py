"""The migrations of customer_svc."""

import sqlalchemy as sa
from alembic import command

from chassis.persistence.postgres import tables
from chassis.persistence.postgres.migrate import config, migrate
from customer_svc import SERVICE, store
from tests.databases import Databases
from tests.servers import Servers
from tests.tables import differences, empty_database, migrated

ACCOUNT = """
    INSERT INTO accounts (id, email, name, password_hash, role, version, changed_at, asked_at,
        epoch, locale, marketing, order_updates, addresses)
    VALUES (gen_random_uuid(), 'ada@example.com', 'Ada', 'hash', 'customer', 1, now(), now(),
        0, 'en', false, true, '[]')
"""


def test_the_migrated_tables_are_those_of_the_code(databases: Databases) -> None:
    assert differences(databases.postgres(SERVICE), tables.metadata, store.metadata) == []


async def test_two_processes_may_migrate_at_once_and_again(servers: Servers) -> None:
    async with empty_database(servers.postgres) as url:
        await migrated(SERVICE, {"POSTGRES_URL": url}, at_once=2)
        migrate(url, SERVICE)
        assert differences(url, tables.metadata, store.metadata) == []


async def test_a_mail_that_was_asked_for_before_counts_as_the_one_that_waits_for_longest(servers: Servers) -> None:
    async with empty_database(servers.postgres) as url:
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            command.upgrade(config(SERVICE, connection), "s005")
            connection.execute(sa.text(ACCOUNT))
            connection.commit()
        migrate(url, SERVICE)
        with engine.connect() as connection:
            kept = connection.execute(sa.select(store.accounts)).one()
        engine.dispose()
    assert (kept.warned_at, kept.verify_asked_at, kept.reset_asked_at) == (kept.changed_at, None, None)
