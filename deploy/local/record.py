"""``SHOP_HOME/run.json``: for scripts, where everything is. Always whole, never half written.

``{"state": "starting" | "up" | "stopped" | "failed", "pid": 1, "processes": {name: {"url", "pid", "log"}}}``,
``pid`` and ``log`` null for a server that somebody else runs, and ``pid`` null for all in the end. The mail
sink also has ``page``, its web address. Where services run, ``ops`` says how those who look after them get in:
``{"email", "password_file", "kafka_prefix"}``.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from deploy.local.files import write_atomically


class RunRecord:
    """Keeps ``run.json`` true."""

    def __init__(self, home: Path) -> None:
        self._path = home / "run.json"
        self._lock = threading.Lock()
        self._content: dict[str, Any] = {"state": "starting", "pid": os.getpid(), "processes": {}}
        self._write()

    def add(self, name: str, url: str, pid: int | None, log: Path | None, **more: str) -> None:
        """Note a process that runs."""
        with self._lock:
            entry = {"url": url, "pid": pid, "log": str(log) if log else None, **more}
            self._content["processes"][name] = entry
            self._write()

    def ops(self, email: str, password_file: Path, kafka_prefix: str) -> None:
        """Note how those who look after the services get in."""
        with self._lock:
            noted = {"email": email, "password_file": str(password_file), "kafka_prefix": kafka_prefix}
            self._content["ops"] = noted
            self._write()

    def up(self) -> None:
        """Everything is ready."""
        with self._lock:
            self._content["state"] = "up"
            self._write()

    def ended(self, state: str) -> None:
        """Nothing runs any more."""
        with self._lock:
            self._content |= {"state": state, "pid": None}
            for entry in self._content["processes"].values():
                entry["pid"] = None
            self._write()

    def _write(self) -> None:
        write_atomically(self._path, json.dumps(self._content, indent=2) + "\n")
