"""Records of what a run has started, so that the next one can clean up after a SIGKILL.

A pid alone proves nothing: the kernel gives it to someone else. A record therefore also holds a
fingerprint of the process (boot, pid namespace, start time), and nothing is ever killed without it.
"""

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.files import write_atomically

PROC = Path("/proc")
START_TIME = 19
"""Index of ``starttime`` in /proc/<pid>/stat after the command name, proc_pid_stat(5) field 22."""


@dataclass(frozen=True)
class Record:
    """One started process: the leader of its own process group."""

    name: str
    pid: int
    fingerprint: str
    stop_signal: int


def fingerprint(pid: int) -> str | None:
    """Tell this process from any other that has or had its pid; None if it does not run."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
        namespace = (PROC / str(pid) / "ns" / "pid").readlink()
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{boot} {namespace} {fields[START_TIME]}"


def remember(directory: Path, name: str, pid: int, stop_signal: int) -> None:
    """Note a process that has just been started."""
    mark = fingerprint(pid)
    if mark is not None:
        record = Record(name, pid, mark, stop_signal)
        write_atomically(directory / f"{name}.json", json.dumps(asdict(record)))


def forget(directory: Path, name: str) -> None:
    """Remove the note of a process that has ended."""
    (directory / f"{name}.json").unlink(missing_ok=True)


def recorded(directory: Path) -> list[Record]:
    """Return all notes; one that cannot be read is dropped."""
    found = []
    for path in sorted(directory.glob("*.json")):
        try:
            found.append(Record(**json.loads(path.read_text())))
        except FileNotFoundError:
            # Another thread starts this process at the same time, and has just removed the note of the last one.
            continue
        except (ValueError, TypeError):
            path.unlink(missing_ok=True)
    return found


def alive(record: Record) -> bool:
    """Whether exactly the process of this record still runs."""
    return fingerprint(record.pid) == record.fingerprint


def reap(directory: Path, names: set[str] | None = None, grace: float = 10.0) -> list[str]:
    """End what an earlier run left behind (all of it, or these names); return what was found alive."""
    records = [record for record in recorded(directory) if names is None or record.name in names]
    left = [record for record in records if alive(record)]
    for record in left:
        _signal(record, record.stop_signal)
    _wait(left, grace)
    for record in left:
        if alive(record):
            _signal(record, signal.SIGKILL)
    _wait(left, grace)
    for record in records:
        forget(directory, record.name)
    return [record.name for record in left]


def _signal(record: Record, number: int) -> None:
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            os.killpg(record.pid, number)
        else:
            os.kill(record.pid, number)


def _wait(records: list[Record], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(alive(record) for record in records):
        time.sleep(0.05)
