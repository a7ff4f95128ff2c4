"""openapi-python-client, which generates clients: installed in an environment of its own, from a lock file.

It is kept in the cache that all runs share, as newman is.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.local.home import cache_home

LOCK = Path(__file__).parents[2] / "deploy" / "requirements" / "clients.lock"
INSTALL_SECONDS = 300
WITHOUT_FORMATTING = "post_hooks: []\n"


def generate_client(document: Path, package: Path) -> str:
    """Write the package of a client for an OpenAPI document; return what the generator says."""
    config = package.with_suffix(".yml")
    config.write_text(WITHOUT_FORMATTING)
    program = str(_installed(cache_home()) / "bin" / "openapi-python-client")
    options = ["--path", str(document), "--output-path", str(package), "--meta", "none", "--config", str(config)]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    done = subprocess.run(
        [program, "generate", *options], check=True, capture_output=True, text=True, env=environment
    )
    return done.stdout + done.stderr


def _installed(cache: Path) -> Path:
    """The directory of the locked packages. It gets this name when it is complete."""
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    directory = cache / f"clients-{digest}"
    if directory.is_dir():
        return directory
    cache.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=cache, prefix="clients-", suffix=".part"))
    try:
        _install(temporary / "complete")
        (temporary / "complete").rename(directory)
    except OSError:
        # Another run was faster.
        if not directory.is_dir():
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return directory


def _install(directory: Path) -> None:
    uv = str(Path(sys.executable).parent / "uv")
    # Programs with relative paths to Python, because the directory is renamed.
    _run(uv, "venv", "-q", "--relocatable", "--python", sys.executable, str(directory))
    python = str(directory / "bin" / "python")
    _run(uv, "pip", "install", "-q", "--require-hashes", "--python", python, "-r", str(LOCK))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
