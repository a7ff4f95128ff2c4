"""Choose TCP ports on loopback that stay the same from run to run and collide with no other run.

Between choosing a port and the server's own ``bind`` lie seconds in which another run could choose it
too. So every chosen port is also claimed by a socket in Linux's abstract namespace: it belongs to the same
network namespace as the port, and vanishes with the process that claimed it.
"""

import atexit
import errno
import json
import os
import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import PortTaken
from deploy.local.files import write_atomically

LOOPBACK = "127.0.0.1"
RANGE = range(20000, 32000)
"""Below the ports that the kernel gives to outgoing connections: a client that keeps knocking at a
stopped server could otherwise be given the server's own port, connect to itself, and keep it."""

_claims: dict[int, socket.socket] = {}


@atexit.register
def _give_back() -> None:
    # The kernel would do it too; Python warns of sockets that were left to it.
    for lock in _claims.values():
        lock.close()


@dataclass(frozen=True)
class Wish:
    """A port to choose: the name it is remembered by, its setting (empty: none), what it would like."""

    name: str
    setting: str = ""
    preferred: int = 0


def choose(wishes: Iterable[Wish], memory: Path, environ: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Choose and claim all ports: as set, else as remembered, else as preferred, else any free one."""
    remembered = _read(memory)
    chosen: dict[str, int] = {}
    wishes = list(wishes)
    for wish in wishes:
        if environ.get(wish.setting):
            chosen[wish.name] = _as_set(wish, environ[wish.setting])
    for wish in wishes:
        if wish.name not in chosen:
            old = remembered.get(wish.name, 0)
            chosen[wish.name] = next((p for p in (old, wish.preferred) if p and claim(p)), 0) or free_port()
    write_atomically(memory, json.dumps(remembered | chosen, indent=2) + "\n", 0o644)
    return chosen


def free_port() -> int:
    """Choose and claim any free port."""
    for port in random.sample(RANGE, len(RANGE)):
        if claim(port):
            return port
    raise PortTaken(f"no free port between {RANGE.start} and {RANGE.stop}")


def claim(port: int) -> bool:
    """Take this port for as long as this process lives; False if it is in use or claimed elsewhere."""
    if port in _claims or _objection(port):
        return False
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0shopstream-port-{port}")
    except OSError:
        lock.close()
        return False
    _claims[port] = lock
    return True


def release(port: int) -> None:
    """Give a claimed port back."""
    lock = _claims.pop(port, None)
    if lock is not None:
        lock.close()


def _objection(port: int) -> str:
    """Say why no server could listen on this port; empty if one could."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: connections of the last run that linger in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            return "taken by another process" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return ""


def _as_set(wish: Wish, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise PortTaken(f"{wish.setting}={text} is not a port: set a number from 1 to 65535")
    port = int(text)
    if not claim(port):
        why = _objection(port) or "taken by another run"
        raise PortTaken(f"port {port} ({wish.setting}) is unusable, {why}: free it, or set another {wish.setting}")
    return port


def _read(memory: Path) -> dict[str, int]:
    try:
        found = json.loads(memory.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    good = found.items() if isinstance(found, dict) else ()
    return {name: port for name, port in good if isinstance(port, int) and 0 < port < 65536}
