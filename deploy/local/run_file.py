"""``SHOP_HOME/run.json``: tells scripts where everything is. Always complete, never half written.

``{"state": "starting" | "up" | "stopped" | "failed", "pid": 1, "processes": {name: {"url", "pid", "log"}}}``.
``pid`` and ``log`` are null for an external server; a ``pid`` is null while a process is to be started again, and
every one after the end. A process of a service also has ``metrics``, where it serves them; the mail sink also has
``page``, its web address. The ``url`` of a server is its administrator's, with the password. Where services run,
``ops`` holds the operators' account, the brokers as ops connect to them, and the prefix of the topics:
``{"email", "password_file", "kafka", "kafka_prefix"}``; ``staff`` holds the account of shop staff.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from deploy.local.files import write_atomically


class RunFile:
    """Keeps ``run.json`` up to date."""

    def __init__(self, home: Path) -> None:
        self._path = home / "run.json"
        self._lock = threading.Lock()
        self._content: dict[str, Any] = {"state": "starting", "pid": os.getpid(), "processes": {}}
        self._write()

    def add_process(self, name: str, url: str, pid: int | None, log: Path | None, **more: str) -> None:
        """Add a running process."""
        with self._lock:
            entry = {"url": url, "pid": pid, "log": str(log) if log else None, **more}
            self._content["processes"][name] = entry
            self._write()

    def set_pid(self, name: str, pid: int | None) -> None:
        """Note that a process has ended (None), or runs again; nothing is noted once the run has ended."""
        with self._lock:
            if self._content["pid"] is not None:
                self._content["processes"][name]["pid"] = pid
                self._write()

    def set_ops(self, email: str, password_file: Path, kafka: str, kafka_prefix: str) -> None:
        """Add the account of the operators, and how they reach the topics."""
        with self._lock:
            account = {"email": email, "password_file": str(password_file)}
            self._content["ops"] = {**account, "kafka": kafka, "kafka_prefix": kafka_prefix}
            self._write()

    def set_staff(self, email: str, password_file: Path) -> None:
        """Add the account of shop staff."""
        with self._lock:
            self._content["staff"] = {"email": email, "password_file": str(password_file)}
            self._write()

    def set_up(self) -> None:
        """Everything is ready."""
        with self._lock:
            self._content["state"] = "up"
            self._write()

    def set_ended(self, state: str) -> None:
        """Nothing runs any more; the state is ``stopped`` or ``failed``."""
        with self._lock:
            self._content |= {"state": state, "pid": None}
            for entry in self._content["processes"].values():
                entry["pid"] = None
            self._write()

    def _write(self) -> None:
        write_atomically(self._path, json.dumps(self._content, indent=2) + "\n")
