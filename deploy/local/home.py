"""SHOP_HOME: the directory that holds a local run's data, logs, secrets and records.

Uses the standard library only, so that ``clean`` works without the virtual environment.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local import pids
from deploy.local.errors import HomeInUse, Prerequisite

OURS = (
    "postgres", "kafka", "mongo", "mail", "logs", "pids", "secrets",
    "ports.json", "run.json", "servers.env", "lock",
)  # fmt: skip
"""Everything a run ever writes here; ``clean`` removes these names and nothing else."""


def shop_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where SHOP_HOME points, ``.local`` in the repository if it is not set."""
    return Path(environ.get("SHOP_HOME") or Path(__file__).parents[2] / ".local").expanduser().absolute()


def cache_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the cache that all SHOP_HOMEs share: SHOP_CACHE, else the user's cache directory."""
    if environ.get("SHOP_CACHE"):
        return Path(environ["SHOP_CACHE"]).expanduser().absolute()
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shopstream"


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keep every other run out of this SHOP_HOME; the kernel lets go when this process ends."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "lock").open("a+")
    except OSError as error:
        raise Prerequisite(f"cannot write to SHOP_HOME {home} ({error.strerror}): set another SHOP_HOME") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise HomeInUse(
                f"another run (pid {holder}) works in {home}: stop it, or set another SHOP_HOME"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def clean(home: Path) -> bool:
    """Remove all data of this SHOP_HOME; False if there was none. Refuses while a run works in it."""
    if not home.is_dir():
        return False
    with locked(home):
        pids.reap(home / "pids")
        for name in OURS:
            path = home / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    if not any(home.iterdir()):
        home.rmdir()
    return True
