"""Choose TCP ports on loopback that stay the same from run to run and collide with no other run.

Seconds pass between the choice of a port and the server's own ``bind``, in which another run could choose it too. So
every chosen port is also claimed by a socket in Linux's abstract namespace: the claim belongs to the same network
namespace as the port, and vanishes with the process that made it.
"""

import atexit
import errno
import json
import os
import random
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.local.errors import PortUnavailable
from deploy.local.files import write_atomically
from deploy.resources import Port

LOOPBACK = "127.0.0.1"
RANGE = range(20000, 32000)
"""Below the ports that the kernel gives to outgoing connections: a client that keeps trying to reach a
stopped server could otherwise get the server's own port, connect to itself, and keep it."""

_claims: dict[int, socket.socket] = {}


@atexit.register
def _release_all() -> None:
    # The kernel would do it too, but Python warns about sockets that are not closed.
    for lock in _claims.values():
        lock.close()


def choose_ports(ports: Iterable[Port], file: Path, environ: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Choose and claim all ports: as configured, else as in the last run (``file``), else as preferred, else any."""
    previous = _read(file)
    chosen: dict[str, int] = {}
    ports = list(ports)
    for port in ports:
        if environ.get(port.setting):
            chosen[port.name] = _configured(port, environ[port.setting])
    for port in ports:
        if port.name not in chosen:
            wanted = (previous.get(port.name, 0), port.preferred)
            chosen[port.name] = next((number for number in wanted if number and claim(number)), 0) or free_port()
    write_atomically(file, json.dumps(previous | chosen, indent=2) + "\n", 0o644)
    return chosen


def free_port() -> int:
    """Choose and claim any free port."""
    for number in random.sample(RANGE, len(RANGE)):
        if claim(number):
            return number
    raise PortUnavailable(f"no free port between {RANGE.start} and {RANGE.stop}")


def claim(number: int) -> bool:
    """Reserve this port for as long as this process lives; False if it is in use or claimed elsewhere."""
    if number in _claims or _bind_problem(number):
        return False
    lock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        lock.bind(f"\0shopstream-port-{number}")
    except OSError:
        lock.close()
        return False
    _claims[number] = lock
    return True


def release(number: int) -> None:
    """Release a claimed port."""
    lock = _claims.pop(number, None)
    if lock is not None:
        lock.close()


def _bind_problem(number: int) -> str:
    """Return why no server could listen on this port; empty if one could."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections of the last run that linger in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, number))
            probe.listen(1)
        except OSError as error:
            return "in use by another process" if error.errno == errno.EADDRINUSE else str(error.strerror)
    return ""


def _configured(port: Port, text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise PortUnavailable(f"{port.setting}={text} is not a port: set a number from 1 to 65535")
    number = int(text)
    if not claim(number):
        reason = _bind_problem(number) or "claimed by another run"
        raise PortUnavailable(
            f"port {number} ({port.setting}) is unavailable, {reason}: free it, or set another {port.setting}"
        )
    return number


def _read(file: Path) -> dict[str, int]:
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {name: number for name, number in entries if isinstance(number, int) and 0 < number < 65536}
