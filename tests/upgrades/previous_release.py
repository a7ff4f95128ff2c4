"""The release before this one: its code out of the repository's history, its processes and its migrations."""

import asyncio
import io
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import pytest

from deploy.local.fork_server import MODULES, ForkedProcess, ForkServer
from deploy.local.processes import REPOSITORY, Command, StartedProcess
from deploy.system import BOOTSTRAP
from tests.forking import fork_server

RELEASED = re.compile(r"^## \[(\d[\d.]*)\].*\n+Released from commit `([0-9a-f]{40})`", re.MULTILINE)
RELEASE = "RELEASE_OF_TEST"
"""In the environment of a process: ``previous``, or nothing for the code of today."""
PREVIOUS = {RELEASE: "previous"}
JOB_SECONDS = 60


@dataclass(frozen=True)
class Release:
    """A release that the changelog names."""

    version: str
    commit: str


def previous_release() -> Release:
    """The newest release that the changelog names together with its commit."""
    found = RELEASED.search((REPOSITORY / "CHANGELOG.md").read_text())
    assert found, "the changelog names no commit of a release"
    return Release(*found.groups())


def unpack(release: Release, directory: Path) -> None:
    """Write the code of a release into a directory; skip the test where the history does not reach back to it."""
    archive = subprocess.run(["git", "archive", release.commit], cwd=REPOSITORY, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the history of this checkout does not reach back to release {release.version}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(directory, filter="data")


class PreviousRelease:
    """Runs the code of a release, with the libraries of today."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @cached_property
    def _processes(self) -> ForkServer:
        # Started when it is needed: migrations do without.
        server = ForkServer(*MODULES, directory=self._directory, program="tests.fork_server")
        server.start()
        return server

    def spawn(self, command: Command, log: BinaryIO) -> StartedProcess:
        """Start a process of a service, of the release that its environment names."""
        if command.env.get(RELEASE):
            process = self._processes.spawn(command, log)
            assert isinstance(process, ForkedProcess), "executed, it would run the code of today"
            return process
        return fork_server().spawn(command, log)

    def migrate(self, url: str, service: str) -> None:
        """Create the tables that the release has."""
        setting = "MONGO_URL" if service == "product_svc" else "POSTGRES_URL"
        self._run([f"{service}.migrations"], {setting: url})

    async def appoint(self, url: str, role: str, email: str, password: str) -> None:
        """Create an account of staff or ops, as the release does."""
        arguments = [BOOTSTRAP, email, "--role", role]
        await asyncio.to_thread(self._run, arguments, {"POSTGRES_URL": url, "BOOTSTRAP_PASSWORD": password})

    def _run(self, module: Sequence[str], settings: Mapping[str, str]) -> None:
        subprocess.run(
            [sys.executable, "-m", *module],
            cwd=self._directory,
            env={"PATH": os.environ["PATH"], **settings},
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=JOB_SECONDS,
        )

    async def migrate_products(self, url: str) -> None:
        """Create the collections that the release has."""
        await asyncio.to_thread(self.migrate, url, "product_svc")
