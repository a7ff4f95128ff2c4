"""The migrations since the previous release only add: its processes go on working on the tables of today."""

import psycopg
import pytest

from chassis.persistence.postgres.migrate import migrate
from deploy.system import POSTGRES, SYSTEM
from tests.databases import Databases
from tests.upgrades.schemas import breaking_changes, read_schema

ON_POSTGRES = tuple(service.package for service in SYSTEM.services if service.database is POSTGRES)
BREAKING = {
    "ALTER TABLE items RENAME name TO title": {"items.name is gone", "items.title is new, and needs a value"},
    "ALTER TABLE items ALTER count TYPE text": {"items.count was int4, and is text"},
    "ALTER TABLE items ALTER note SET NOT NULL": {"items.note may not be null any more"},
    "ALTER TABLE items ALTER count DROP DEFAULT": {"items.count has no default any more"},
    "ALTER TABLE items ADD size text NOT NULL": {"items.size is new, and needs a value"},
    "ALTER TABLE items ADD CHECK (count > 0)": {"items has a new rule: CHECK ((count > 0))"},
    "CREATE UNIQUE INDEX one_name ON items (name)": {
        "items has a new rule: CREATE UNIQUE INDEX one_name ON public.items USING btree (name)"
    },
    "DROP TABLE items": {f"items.{name} is gone" for name in ("name", "note", "count")},
}
HARMLESS = (
    "ALTER TABLE items ADD size text",
    "ALTER TABLE items ADD size text NOT NULL DEFAULT ''",
    "ALTER TABLE items ALTER name DROP NOT NULL",
    "CREATE TABLE others (id int PRIMARY KEY)",
    "CREATE INDEX by_name ON items (name)",
)


@pytest.mark.parametrize("service", ON_POSTGRES)
def test_migrations_only_add(service: str, databases_of_previous: Databases) -> None:
    url = databases_of_previous.postgres(service)
    before = read_schema(url)
    migrate(url, service)
    assert list(breaking_changes(before, read_schema(url))) == []


@pytest.fixture(scope="module")
def database(databases: Databases) -> str:
    """A database of these tests alone: they add tables to it."""
    return databases.postgres("order_svc")


@pytest.fixture
def items(database: str) -> str:
    with psycopg.connect(database) as connection:
        connection.execute("DROP TABLE IF EXISTS items, others")
        connection.execute("CREATE TABLE items (name text NOT NULL, note text, count int NOT NULL DEFAULT 0)")
    return database


@pytest.mark.parametrize("change", BREAKING)
def test_a_breaking_change_is_named(change: str, items: str) -> None:
    before = read_schema(items)
    with psycopg.connect(items) as connection:
        connection.execute(change)
    assert set(breaking_changes(before, read_schema(items))) == BREAKING[change]


@pytest.mark.parametrize("change", HARMLESS)
def test_a_harmless_change_is_not(change: str, items: str) -> None:
    before = read_schema(items)
    with psycopg.connect(items) as connection:
        connection.execute(change)
    assert list(breaking_changes(before, read_schema(items))) == []
