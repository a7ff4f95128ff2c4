"""Notes about the processes that a run has started, so that the next run can clean up after a SIGKILL.

A pid alone proves nothing: the kernel reuses it. So each note also holds a fingerprint of the process (boot, pid
namespace, start time), and no process is ever signalled without comparing it.
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
class PidFile:
    """One started process: the leader of its own process group."""

    name: str
    pid: int
    fingerprint: str
    stop_signal: int


def fingerprint(pid: int) -> str | None:
    """Identify this process among all that have or had its pid; None if it does not run."""
    try:
        stat = (PROC / str(pid) / "stat").read_text()
        namespace = (PROC / str(pid) / "ns" / "pid").readlink()
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else f"{boot} {namespace} {fields[START_TIME]}"


def write(directory: Path, name: str, pid: int, stop_signal: int) -> None:
    """Note a process that has just been started."""
    mark = fingerprint(pid)
    if mark is not None:
        note = PidFile(name, pid, mark, stop_signal)
        write_atomically(directory / f"{name}.json", json.dumps(asdict(note)))


def remove(directory: Path, name: str) -> None:
    """Remove the note about a process that has ended."""
    (directory / f"{name}.json").unlink(missing_ok=True)


def read_all(directory: Path) -> list[PidFile]:
    """Return all notes; an unreadable one is removed."""
    found = []
    for path in sorted(directory.glob("*.json")):
        try:
            found.append(PidFile(**json.loads(path.read_text())))
        except FileNotFoundError:
            # Another thread is starting this process, and has just removed the note about its predecessor.
            continue
        except (ValueError, TypeError):
            path.unlink(missing_ok=True)
    return found


def is_running(note: PidFile) -> bool:
    """Whether exactly the noted process still runs."""
    return fingerprint(note.pid) == note.fingerprint


def stop_leftovers(directory: Path, names: set[str] | None = None, grace: float = 10.0) -> list[str]:
    """Stop what an earlier run left behind, or those of these names; return the names of those that still ran."""
    notes = [note for note in read_all(directory) if names is None or note.name in names]
    running = [note for note in notes if is_running(note)]
    for note in running:
        _signal(note, note.stop_signal)
    _wait(running, grace)
    for note in running:
        if is_running(note):
            _signal(note, signal.SIGKILL)
    _wait(running, grace)
    for note in notes:
        remove(directory, note.name)
    return [note.name for note in running]


def _signal(note: PidFile, number: int) -> None:
    with suppress(ProcessLookupError):
        if number == signal.SIGKILL:
            os.killpg(note.pid, number)
        else:
            os.kill(note.pid, number)


def _wait(notes: list[PidFile], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and any(is_running(note) for note in notes):
        time.sleep(0.05)
