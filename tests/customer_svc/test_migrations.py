"""The migrations of customer_svc."""

import sqlalchemy as sa
from alembic import command

from chassis.persistence.postgres import tables
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.migrate import config, migrate
from customer_svc import SERVICE
from customer_svc.accounts.queries import account_by_email
from customer_svc.accounts.store import accounts, metadata
from customer_svc.audit_log.store import metadata as audit_metadata
from tests.databases import Databases
from tests.servers import Servers
from tests.tables import differences, empty_database, migrated

ACCOUNT = """
    INSERT INTO accounts (id, email, name, password_hash, role, version, changed_at, asked_at,
        epoch, locale, marketing, order_updates, addresses)
    VALUES (gen_random_uuid(), 'ada@example.com', 'Ada', 'hash', 'customer', 1, now(), now(),
        0, 'en', false, true, '[]')
"""


def test_the_migrated_tables_are_those_that_the_code_describes(databases: Databases) -> None:
    assert differences(databases.postgres(SERVICE), tables.metadata, metadata, audit_metadata) == []


async def test_processes_can_migrate_concurrently_and_again(servers: Servers) -> None:
    async with empty_database(servers.postgres) as url:
        await migrated(SERVICE, {"POSTGRES_URL": url}, at_once=2)
        migrate(url, SERVICE)
        assert differences(url, tables.metadata, metadata, audit_metadata) == []


async def test_the_last_mail_before_the_migration_counts_as_the_kind_with_the_longest_interval(
    servers: Servers,
) -> None:
    async with empty_database(servers.postgres) as url:
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            command.upgrade(config(SERVICE, connection), "s005")
            connection.execute(sa.text(ACCOUNT))
            connection.commit()
        migrate(url, SERVICE)
        with engine.connect() as connection:
            account = connection.execute(sa.select(accounts)).one()
        engine.dispose()
    assert (account.warned_at, account.verification_requested_at, account.reset_requested_at) == (
        account.changed_at,
        None,
        None,
    )


SPELLED = """
    INSERT INTO accounts (id, email, name, password_hash, role, version, changed_at, epoch, locale, marketing,
        order_updates, addresses)
    VALUES (gen_random_uuid(), :email, 'Ada', 'hash', 'staff', 1, now(), 0, 'en', false, true, '[]')
"""


async def test_accounts_get_the_one_spelling_of_their_address_and_none_is_lost(servers: Servers) -> None:
    before = [
        "ada@xn--mnchen-3ya.de",
        "both@xn--mnchen-3ya.de",
        "both@m\u00fcnchen.de",
        "x@xn--999999999.de",
        "a@b.de",
    ]
    async with empty_database(servers.postgres) as url:
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            command.upgrade(config(SERVICE, connection), "s060")
            connection.execute(sa.text(SPELLED), [{"email": email} for email in before])
            connection.commit()
        migrate(url, SERVICE)
        with engine.connect() as connection:
            stored = set(connection.scalars(sa.select(accounts.c.email)))
        engine.dispose()
        assert stored == {"ada@m\u00fcnchen.de", *before[1:]}
        database = Postgres(url)
        found = {email: await account_by_email(database, email) for email in [*before, "ADA@M\u00dcNCHEN.de"]}
        await database.close()
    spelled = {email: account.email for email, account in found.items() if account}
    assert spelled == {
        **{email: email for email in before},
        "ada@xn--mnchen-3ya.de": "ada@m\u00fcnchen.de",
        "ADA@M\u00dcNCHEN.de": "ada@m\u00fcnchen.de",
    }, "of two accounts with one address, each is found by its own spelling"
