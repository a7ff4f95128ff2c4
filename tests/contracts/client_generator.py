"""openapi-python-client, which generates clients: installed in an environment of its own, from a lock file.

It is kept in the cache that all runs share, as newman is.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from deploy.local.home import cache_home

LOCK = Path(__file__).parents[2] / "deploy" / "requirements" / "clients.lock"
INSTALL_SECONDS = 300
WITHOUT_FORMATTING = "post_hooks: []\n"


GENERATE = """
import sys
from contextlib import redirect_stderr, redirect_stdout
from openapi_python_client.cli import app
config, *packages = sys.argv[1:]
for package in packages:
    arguments = ["generate", "--path", f"{package}.json", "--output-path", package, "--meta", "none"]
    with open(f"{package}.txt", "w") as said, redirect_stdout(said), redirect_stderr(said):
        app([*arguments, "--config", config], standalone_mode=False)
"""
"""One process for all clients: its imports take longer than a client."""


def generate_clients(documents: Mapping[Path, str]) -> Mapping[Path, str]:
    """Write the packages of clients, by path, for OpenAPI documents; return what the generator says of each."""
    for package, document in documents.items():
        package.with_suffix(".json").write_text(document)
    config = next(iter(documents)).parent / "config.yml"
    config.write_text(WITHOUT_FORMATTING)
    program = [str(_installed(cache_home()) / "bin" / "python"), "-c", GENERATE]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    subprocess.run([*program, str(config), *map(str, documents)], check=True, env=environment)
    return {package: package.with_suffix(".txt").read_text() for package in documents}


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
