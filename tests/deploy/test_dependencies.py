"""What is installed is listed, and what is locked can be looked up among known vulnerabilities."""

import json
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
import typer

from deploy import vulnerabilities
from deploy.vulnerabilities import LOCK, Verdict, audit, main

ROOT = Path(__file__).parents[2]
MUG = {"name": "mug", "version": "1.0", "vulns": []}
CUP = {"name": "cup", "version": "2.0", "vulns": [{"id": "CVE-1", "fix_versions": ["2.1"], "aliases": []}]}
POT = {"name": "pot", "skip_reason": "not found"}


def test_the_sbom_lists_what_is_installed_and_is_the_same_each_time(tmp_path: Path) -> None:
    file = tmp_path / "new" / "sbom.cdx.json"
    subprocess.run(["sh", str(ROOT / "deploy" / "sbom.sh"), sys.prefix, str(file)], check=True, capture_output=True)
    sbom = json.loads(file.read_text())
    assert (sbom["bomFormat"], sbom["metadata"]["component"]["name"]) == ("CycloneDX", "shopstream")
    listed = {(one["name"].lower().replace("_", "-"), one["version"]) for one in sbom["components"]}
    locked = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "deploy/requirements/services.lock").read_text(), re.M)
    assert {one for one in locked if _installed(*one)} <= {(name, number) for name, number in listed}
    assert "timestamp" not in sbom["metadata"]


def _installed(name: str, number: str) -> bool:
    try:
        return version(name) == number
    except PackageNotFoundError:
        return False


def stub(tmp_path: Path, answer: Any, status: int = 0) -> list[str]:
    """In place of pip-audit."""
    program = tmp_path / "pip-audit"
    text = answer if isinstance(answer, str) else json.dumps({"dependencies": answer, "fixes": []})
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{text}\nEND\nexit {status}\n")
    return ["sh", str(program)]


def test_vulnerabilities_are_found(tmp_path: Path) -> None:
    verdict = audit(LOCK, stub(tmp_path, [MUG, CUP, POT], 1))
    assert verdict == Verdict(["cup 2.0: CVE-1, fixed in 2.1"], looked_up=2, unknown=1)


@pytest.mark.parametrize(
    ("answer", "status", "said", "fails"),
    [
        ([MUG], 0, "0 known vulnerabilities in 1 packages", False),
        ([MUG, POT], 0, "0 known vulnerabilities in 1 packages, nothing is known about 1 more", False),
        ([CUP], 1, "1 known vulnerabilities in 1 packages", True),
        ([POT], 0, "skipped", False),
        ("ERROR: no route to the index", 1, "skipped", False),
    ],
)
def test_only_known_vulnerabilities_are_a_failure(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: Any,
    status: int,
    said: str,
    fails: bool,
) -> None:
    program = stub(tmp_path, answer, status)
    monkeypatch.setattr(vulnerabilities, "audit", lambda lock: audit(lock, program))
    if fails:
        with pytest.raises(typer.Exit):
            main(LOCK)
    else:
        main(LOCK)
    assert capsys.readouterr().out.strip().startswith(said)
