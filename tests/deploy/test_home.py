"""SHOP_HOME belongs to one run at a time, and is cleaned of our own files alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.errors import HomeInUse, Prerequisite
from deploy.local.files import kept_secret
from deploy.local.home import cache_home, clean, locked, shop_home


def test_a_second_run_is_told_who_works_there(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(HomeInUse, match=r"another run \(pid \d+\) works in"), locked(tmp_path):
        pass


def test_the_lock_goes_with_a_killed_run(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from deploy.local.home import *\n"
        f"with locked(Path({str(tmp_path)!r})): print('locked', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1) as other:
        assert other.stdout
        other.stdout.readline()
        with pytest.raises(HomeInUse, match=f"pid {other.pid}"), locked(tmp_path):
            pass
        other.kill()
    with locked(tmp_path):
        pass


def test_a_home_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Prerequisite, match="cannot write to SHOP_HOME"), locked(tmp_path / "file" / "home"):
        pass


def test_clean_removes_what_a_run_wrote_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "run.json").touch()
    (tmp_path / "thesis.txt").touch()
    assert clean(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_clean_removes_a_home_that_was_only_ours(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "kafka").mkdir(parents=True)
    clean(home)
    assert not home.exists()
    assert not clean(home)


def test_clean_follows_no_link_out_of_the_home(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    (home / "logs").symlink_to(elsewhere)
    clean(home)
    assert elsewhere.exists()


def test_clean_refuses_while_a_run_works_there(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    with locked(tmp_path), pytest.raises(HomeInUse):
        clean(tmp_path)
    assert (tmp_path / "kafka").exists()


def test_clean_needs_nothing_but_python(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    env = {"SHOP_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-S", "-m", "deploy.local.clean"], env=env, capture_output=True, text=True)
    assert done.stdout == f"removed the data in {tmp_path}\n"
    assert done.stderr == ""


def test_secrets_are_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "password"
    assert kept_secret(path) == kept_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_where_things_are_kept_can_be_set() -> None:
    assert shop_home({"SHOP_HOME": "/data/shop"}) == Path("/data/shop")
    assert shop_home({}).name == ".local"
    assert cache_home({"SHOP_CACHE": "/c"}) == Path("/c")
    assert cache_home({"XDG_CACHE_HOME": "/x"}) == Path("/x/shopstream")
