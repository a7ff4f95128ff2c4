"""The runner as its users see it: a process in a group of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.system import SYSTEM

SECONDS = 90


class Run:
    """``python -m deploy.local`` in a process group of its own, as a shell would start it."""

    def __init__(self, home: Path, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        inherited = {name: value for name, value in os.environ.items() if not _chooses_servers_or_ports(name)}
        self.home = home
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.local", *arguments],
            env={**inherited, "SHOP_HOME": str(home), "COLUMNS": "200", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # The tests may run under nohup, which a run would respect.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )

    def until(self, words: str) -> None:
        """Read its output until these words appear."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.output += line
            if words in line:
                return
        raise AssertionError(f"it ended without {words!r}:\n{self.output}")

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def finish(self) -> int:
        """Wait for its end; return the exit status."""
        try:
            self.output += self.process.communicate(timeout=SECONDS)[0]
        finally:
            self.process.kill()
        return self.process.returncode

    @property
    def record(self) -> Any:
        return json.loads((self.home / "run.json").read_text())

    def pids(self) -> list[int]:
        """The pids of everything it has started, from its notes."""
        return [json.loads(note.read_text())["pid"] for note in (self.home / "pids").glob("*.json")]


def _chooses_servers_or_ports(name: str) -> bool:
    ports = {port.setting for port in SYSTEM.ports}
    return name in ports | {server.setting for server in SYSTEM.servers}
