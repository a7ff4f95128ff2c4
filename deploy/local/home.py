"""SHOP_HOME: the directory that holds a local run's data, logs, secrets and notes about its processes.

Uses the standard library only, so that ``clean`` works without the virtual environment.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local import pid_files
from deploy.local.errors import HomeInUse, PrerequisiteMissing

CONTENTS = (
    "postgres", "kafka", "mongo", "mail", "logs", "pids", "secrets",
    "ports.json", "run.json", "servers.env", "lock",
)  # fmt: skip
"""Everything that a run ever writes here; ``clean`` removes these names and nothing else."""


def shop_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where SHOP_HOME points; ``.local`` in the repository if it is not set."""
    return Path(environ.get("SHOP_HOME") or Path(__file__).parents[2] / ".local").expanduser().absolute()


def cache_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the cache that all SHOP_HOMEs share: SHOP_CACHE, else the user's cache directory."""
    if environ.get("SHOP_CACHE"):
        return Path(environ["SHOP_CACHE"]).expanduser().absolute()
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shopstream"


def make_private(home: Path) -> None:
    """Keep other users of this machine out of everything that this process and its children write.

    There are passwords, mails with links, and customers' data. What an earlier run left open is closed.
    """
    os.umask(0o077)
    for path in (home / name for name in CONTENTS):
        if path.exists() and not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keep every other run out of this SHOP_HOME; the kernel releases the lock when this process ends."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "lock").open("a+")
    except OSError as error:
        raise PrerequisiteMissing(
            f"cannot write to SHOP_HOME {home} ({error.strerror}): set another SHOP_HOME"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise HomeInUse(f"another run (pid {holder}) uses {home}: stop it, or set another SHOP_HOME") from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def clean(home: Path) -> bool:
    """Remove all data in this SHOP_HOME; False if there was none. Refuses while a run uses it."""
    if not home.is_dir():
        return False
    with locked(home):
        pid_files.stop_leftovers(home / "pids")
        for name in CONTENTS:
            path = home / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    if not any(home.iterdir()):
        home.rmdir()
    return True
