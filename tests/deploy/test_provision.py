"""What is prepared on the servers: once for each version of the code, and accounts of this SHOP_HOME."""

from pathlib import Path

from deploy.local.provision import first_account, skip_if_code_is_unchanged


def test_in_an_external_database_each_home_has_its_own_staff_account(tmp_path: Path) -> None:
    one, other = (first_account(tmp_path / name, "staff", own_database=False) for name in ("one", "other"))
    assert one.email != other.email
    assert first_account(tmp_path / "one", "staff", own_database=False) == one
    assert first_account(tmp_path / "one", "staff", own_database=True).email == "staff@example.com"


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
