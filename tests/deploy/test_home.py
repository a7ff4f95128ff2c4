"""SHOP_HOME belongs to one run at a time, and ``clean`` removes only what runs have written there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.errors import HomeInUse, PrerequisiteMissing
from deploy.local.files import get_or_create_secret
from deploy.local.home import cache_home, clean, locked, make_private, shop_home


def test_a_second_run_gets_the_pid_of_the_first(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(HomeInUse, match=r"another run \(pid \d+\) uses"), locked(tmp_path):
        pass


def test_a_killed_run_releases_the_lock(tmp_path: Path) -> None:
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


def test_a_home_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PrerequisiteMissing, match="cannot write to SHOP_HOME"), locked(tmp_path / "file" / "home"):
        pass


def test_clean_removes_what_a_run_wrote_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "run.json").touch()
    (tmp_path / "thesis.txt").touch()
    assert clean(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_clean_removes_a_home_with_nothing_else_in_it(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "kafka").mkdir(parents=True)
    clean(home)
    assert not home.exists()
    assert not clean(home)


def test_clean_does_not_follow_a_link_out_of_the_home(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    (home / "logs").symlink_to(outside)
    clean(home)
    assert outside.exists()


def test_clean_refuses_while_a_run_uses_the_home(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    with locked(tmp_path), pytest.raises(HomeInUse):
        clean(tmp_path)
    assert (tmp_path / "kafka").exists()


def test_clean_needs_only_the_standard_library(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    env = {"SHOP_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-S", "-m", "deploy.local.clean"], env=env, capture_output=True, text=True)
    assert done.stdout == f"removed the data in {tmp_path}\n"
    assert done.stderr == ""


def test_a_secret_is_generated_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "password"
    assert get_or_create_secret(path) == get_or_create_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_run_writes_is_closed_to_others_and_so_is_what_an_earlier_run_left_open(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir(mode=0o755)
    (tmp_path / "run.json").touch(mode=0o644)
    (tmp_path / "of-somebody-else").mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        make_private(tmp_path)
        (tmp_path / "logs").mkdir()
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"mail": 0o700, "run.json": 0o600, "logs": 0o700, "of-somebody-else": 0o755}


def test_home_and_cache_can_be_configured() -> None:
    assert shop_home({"SHOP_HOME": "/data/shop"}) == Path("/data/shop")
    assert shop_home({}).name == ".local"
    assert cache_home({"SHOP_CACHE": "/c"}) == Path("/c")
    assert cache_home({"XDG_CACHE_HOME": "/x"}) == Path("/x/shopstream")
