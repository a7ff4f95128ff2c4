"""The migrations of order_svc."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic import command
from uuid_utils.compat import uuid7

from chassis.persistence.postgres import tables
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.migrate import config, migrate
from order_svc import SERVICE
from order_svc.erasure import store as erasure
from order_svc.orders import store as orders
from order_svc.orders.queries import find_order
from order_svc.orders.rows import full_row
from order_svc.replicas import store as replicas
from order_svc.timeline import store as timeline
from order_svc.usage import store as usage
from tests.databases import Databases
from tests.order_svc.factories import SHORT, order, original_rejected
from tests.servers import Servers
from tests.tables import differences, empty_database, migrated

TABLES = (
    *(tables.metadata, orders.metadata, replicas.metadata, timeline.metadata, erasure.metadata),
    usage.metadata,
)
NEWER = {"cancelled_remainder", "return_requests", "missing"}
BEFORE = {
    "reservation_attempts": "asked",
    "retried": "reminded",
    "cancellation_note": "note",
    "customer_notes": "notes",
}
"""What the columns of orders were called before s030."""


async def test_two_processes_may_migrate_at_once(servers: Servers) -> None:
    async with empty_database(servers.postgres) as url:
        await migrated(SERVICE, {"POSTGRES_URL": url}, at_once=2)
        assert differences(url, *TABLES) == []


def test_the_migrated_tables_are_those_of_the_code(databases: Databases) -> None:
    assert differences(databases.postgres(SERVICE), *TABLES) == []


async def test_renamed_columns_and_keys_keep_their_values(servers: Servers) -> None:
    amended, erased = original_rejected(), uuid7()
    async with empty_database(servers.postgres) as url:
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            command.upgrade(config(SERVICE, connection), "s020_answers_by_age")
            row = old_row(full_row(amended))
            values = ", ".join(f":{name}" for name in row)
            connection.execute(sa.text(f"INSERT INTO orders ({', '.join(row)}) VALUES ({values})"), row)
            connection.execute(sa.text("INSERT INTO forgotten_customers VALUES (:id, now())"), {"id": erased})
            connection.commit()
        engine.dispose()
        migrate(url, SERVICE)
        database = Postgres(url)
        assert await find_order(database, amended.id, None) == amended
        async with database.reading() as connection:
            assert await connection.scalar(sa.select(erasure.erased_customers.c.customer_id)) == erased
        await database.close()


async def test_only_rejected_orders_keep_their_shortages(servers: Servers) -> None:
    refused = replace(order("CONFIRMED", 3), id=uuid7(), shortages=(SHORT,))
    rejected = replace(order("REJECTED", 2), id=uuid7(), shortages=(SHORT,))
    async with empty_database(servers.postgres) as url:
        engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
        with engine.connect() as connection:
            command.upgrade(config(SERVICE, connection), "s064_account_usage")
            rows = [without_newer(full_row(one)) for one in (refused, rejected)]
            connection.execute(sa.insert(orders.orders), rows)
            connection.commit()
        engine.dispose()
        migrate(url, SERVICE)
        database = Postgres(url)
        assert await find_order(database, refused.id, None) == replace(refused, shortages=())
        assert await find_order(database, rejected.id, None) == rejected
        await database.close()


def without_newer(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without the columns that came later."""
    return {name: value for name, value in row.items() if name not in NEWER}


def old_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it was before s030."""
    amendment = {"alone" if key == "original_rejected" else key: value for key, value in row["amendment"].items()}
    return {
        BEFORE.get(name, name): json.dumps(value) if isinstance(value, list | dict) else value
        for name, value in {**without_newer(row), "amendment": amendment}.items()
    }
