"""Look locked packages up among known vulnerabilities: ``make audit-dependencies``.

pip-audit asks the package index about each package. An index that has no such data, as many mirrors, or that cannot
be reached, knows of no vulnerability either way: that is said, and is no failure. Status 1: there are
vulnerabilities.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

LOCK = Path(__file__).parent / "requirements" / "dev.lock"
PIP_AUDIT = (sys.executable, "-m", "pip_audit")
OPTIONS = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json")


@dataclass(frozen=True)
class Verdict:
    """What is known about the packages of a lock file."""

    found: Sequence[str]
    """A line for each vulnerability."""
    looked_up: int
    unknown: int
    """Packages that the index has no data about."""


def audit(lock: Path, program: Sequence[str] = PIP_AUDIT) -> Verdict | None:
    """Look up every package of a lock file; None if the index cannot be asked."""
    command = [*program, "--requirement", str(lock), *OPTIONS]
    done = subprocess.run(command, capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    known = [one for one in packages if "vulns" in one]
    found = [line for one in known for line in _lines(one)]
    return Verdict(found, len(known), len(packages) - len(known))


def _lines(package: dict[str, Any]) -> list[str]:
    name = f"{package['name']} {package['version']}"
    return [
        f"{name}: {one['id']}, fixed in {', '.join(one['fix_versions']) or 'no version'}" for one in package["vulns"]
    ]


def main(lock: Annotated[Path, typer.Argument(metavar="FILE", help="The lock file.")] = LOCK) -> None:
    """Look the packages of a lock file up among known vulnerabilities."""
    verdict = audit(lock)
    if verdict is None or not verdict.looked_up:
        typer.echo("skipped: the package index has no data about vulnerabilities, or cannot be reached from here")
        return
    for line in verdict.found:
        typer.echo(line, err=True)
    rest = f", nothing is known about {verdict.unknown} more" if verdict.unknown else ""
    typer.echo(f"{len(verdict.found)} known vulnerabilities in {verdict.looked_up} packages{rest}")
    if verdict.found:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
