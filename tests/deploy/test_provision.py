"""What is prepared on the servers: once for each version of the code, and accounts of this SHOP_HOME."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

from deploy.local.postgres import create_database
from deploy.local.provision import first_account, skip_if_code_is_unchanged
from tests.servers import Servers


def test_in_an_external_database_each_home_has_its_own_staff_account(tmp_path: Path) -> None:
    one, other = (first_account(tmp_path / name, "staff", own_database=False) for name in ("one", "other"))
    assert one.email != other.email
    assert first_account(tmp_path / "one", "staff", own_database=False) == one
    assert first_account(tmp_path / "one", "staff", own_database=True).email == "staff@example.com"


def test_runs_that_begin_at_once_create_a_database_together(servers: Servers) -> None:
    name = f"together_{uuid4().hex[:8]}"
    with ThreadPoolExecutor(8) as runs:
        for made in [runs.submit(create_database, servers.postgres, name) for _ in range(8)]:
            made.result()
    with psycopg.connect(servers.postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def test_work_that_this_code_has_done_on_these_data_is_skipped(tmp_path: Path) -> None:
    calls = []

    def work() -> str:
        calls.append(1)
        return "migrated"

    marker = tmp_path / "done-order-migrations"
    assert [skip_if_code_is_unchanged(work, marker) for _ in range(2)] == ["migrated", "unchanged"]
    marker.write_text("the digest of other code")
    assert skip_if_code_is_unchanged(work, marker) == "migrated"
    assert len(calls) == 2
