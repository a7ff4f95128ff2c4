"""What can be tested of the check on an engine without one, and the scripts for backups with a stub of docker."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.compose.deployment import ROOT, make_secrets
from tests.compose.engine import boundaries
from tests.compose.engine.standins import RECIPES, STANDINS, images_needed

VOLUMES = {"kafka", "postgres", "mongo", "mailpit", "signing-key"}


def test_without_an_engine_it_is_skipped_and_says_why() -> None:
    command = [sys.executable, "-m", "tests.compose"]
    environment = {"PATH": "/nowhere", "HOME": "/nowhere", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    reason = (
        "an engine needs root" if os.geteuid() else "no engine here: apt-get install docker.io iptables mmdebstrap"
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"skipped: {reason}\n", "")


def test_every_image_has_a_stand_in() -> None:
    needed = images_needed()
    assert [image.partition(":")[0] for image in needed] == ["python", *sorted(set(STANDINS) - {"python"})]
    for image in needed:
        recipe = RECIPES / image.partition(":")[0].rpartition("/")[2] / "Dockerfile"
        assert recipe.read_text().startswith(f"# In place of {image.partition(':')[0]}")


@pytest.mark.parametrize("name", ["REACHED", "CONFINED", "FORGED", "DATABASES", "DOCUMENTS"])
def test_what_runs_in_containers_is_python(name: str) -> None:
    compile(getattr(boundaries, name), name, "exec")


DOCKER = """#!/bin/sh
echo "$*" >>"$CALLS"
case "$*" in
    *"--entrypoint tar $BROKEN"*) exit 1 ;;
    *"--entrypoint tar"*) cd "$DATA" && tar -czf - . ;;
    *"--entrypoint sh"*) tar -tzf - >>"$CALLS" ;;
esac
"""


class Installation:
    """One with a stub in place of docker."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.calls = home / "calls"
        (home / "bin").mkdir()
        (home / "data").mkdir()
        (home / "data" / "of-a-server").touch()
        (home / "bin" / "docker").write_text(DOCKER)
        (home / "bin" / "docker").chmod(0o755)
        (home / ".env").write_text("MAIL_PORT=8026\n")
        make_secrets(home)

    def run(self, script: str, directory: str, broken: str = "nothing") -> "subprocess.CompletedProcess[str]":
        self.calls.unlink(missing_ok=True)
        environment = {"PATH": f"{self.home}/bin:{os.environ['PATH']}", "CALLS": str(self.calls), "BROKEN": broken}
        environment |= {"DATA": str(self.home / "data")}
        command = ["sh", str(ROOT / "deploy" / "compose" / script), directory]
        return subprocess.run(command, cwd=self.home, env=environment, capture_output=True, text=True)

    @property
    def called(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(tmp_path)


def test_a_backup_has_all_data_of_a_stopped_shop_and_is_for_nobody_else(installation: Installation) -> None:
    assert installation.run("backup.sh", "saved").stderr == ""
    saved = installation.home / "saved"
    assert {path.name for path in saved.iterdir()} == {*(f"{one}.tar.gz" for one in VOLUMES), "secrets", "settings"}
    assert saved.stat().st_mode & 0o77 == 0
    with tarfile.open(saved / "mongo.tar.gz") as archive:
        assert "./of-a-server" in archive.getnames()
    assert (installation.called[0], installation.called[-1]) == ("compose stop", "compose up --detach --wait")
    assert installation.run("backup.sh", "saved").returncode == 2, "an earlier backup is not overwritten"


def test_a_backup_that_fails_is_none_and_the_shop_is_started_again(installation: Installation) -> None:
    assert installation.run("backup.sh", "saved", broken="mongo").returncode == 1
    assert not (installation.home / "saved").exists()
    assert installation.called[-1] == "compose up --detach --wait"


def test_a_backup_is_restored_with_its_secrets(installation: Installation) -> None:
    installation.run("backup.sh", "saved")
    kept = {path.name: path.read_text() for path in (installation.home / ".secrets").iterdir()}
    (installation.home / ".secrets").rename(installation.home / "lost")
    assert installation.run("restore.sh", "saved").stderr == ""
    assert {path.name: path.read_text() for path in (installation.home / ".secrets").iterdir()} == kept
    assert installation.called.count("./of-a-server") == len(VOLUMES)
    assert installation.called[-1] == "compose up --detach --wait"


def test_a_backup_does_not_replace_other_secrets(installation: Installation) -> None:
    installation.run("backup.sh", "saved")
    (installation.home / ".secrets" / "link-key").chmod(0o600)
    (installation.home / ".secrets" / "link-key").write_text("another\n")
    refused = installation.run("restore.sh", "saved")
    assert (refused.returncode, "other secrets than the backup" in refused.stderr) == (1, True)
    assert not installation.calls.exists()
