"""The page that breaks a running platform and repairs it tells the truth: its own commands are run."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.deploy.runner import Run
from tests.servers import Servers

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/replay.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
MARK = "@@ block"
EXPECTED = {
    # Words of a block: its exit status, and what it prints.
    "shop lag": (0, r"notifier_svc +order\.events +6 +\d+ +0\b"),
    "shop replay plan": (1, r"order\.confirmed +3\n[\s\S]*say --mails send or --mails withhold[\s\S]*nothing was ch"),
    "shop replay run": (0, r"failed +0\n +digest \w{32}, equal to the plan's"),
    "shop replay verify": (0, r"✓ equal to its plan, and nothing is left to bring"),
    "dlq list --by": (0, r"order_svc +parked +product\.changed"),
    "which field is wrong": (0, r'"nmae": "Blue mug"'),
    "dlq edit": (0, r"would be brought 2 .*\nnothing was changed\norder_svc  brought 2 · failed 0 · skipped 0"),
    "dlq discard": (0, r"discarded *\n+no dead letters"),
    "shop actions": (0, r"replay\.plan[\s\S]*replay\.running[\s\S]*letter\.reveal[\s\S]*letter\.discard"),
}


@pytest.fixture
def home(servers: Servers, tmp_path: Path) -> Iterator[Path]:
    """The home of a platform that runs."""
    # With databases of its own, because the audit looks at everything.
    external = {"KAFKA_BOOTSTRAP_SERVERS": servers.kafka, "KAFKA_PREFIX": f"page{uuid4().hex[:6]}."}
    run = Run(tmp_path / "home", "run", "--no-sample", env=external)
    try:
        run.until("Ctrl-C stops everything")
        yield run.home
    finally:
        run.signal(signal.SIGTERM)
        run.finish()


@pytest.mark.timeout(900)
def test_the_commands_of_the_page_break_a_platform_and_repair_it(home: Path, tmp_path: Path) -> None:
    results = _run(home, _programs(tmp_path / "bin"))
    for words, (status, printed) in EXPECTED.items():
        [nth] = [nth for nth, block in enumerate(BLOCKS) if words in block]
        assert results[nth][0] == status, (BLOCKS[nth], results[nth][1])
        assert re.search(printed, results[nth][1]), (BLOCKS[nth], results[nth][1])
    before, after = [results[nth] for nth, block in enumerate(BLOCKS) if "shop audit" in block]
    assert (before[0], "not_handled" in before[1]) == (1, True), before[1]
    assert after[0] == 0, after[1]
    others = [nth for nth, block in enumerate(BLOCKS) if not re.search(r"^shop", block, re.MULTILINE)]
    assert [(nth, results[nth]) for nth in others if results[nth][0]] == []


def _programs(folder: Path) -> Path:
    """``shop`` and ``python`` for those who test without an installed environment in this directory."""
    folder.mkdir()
    for name, command in (("shop", f"{sys.executable} -m ops"), ("python", sys.executable)):
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


def _run(home: Path, programs: Path) -> list[tuple[int, str]]:
    """Run all blocks in one shell; return the exit status and the output of each."""
    script = "\n".join(f"{block}STATUS=$?; echo; echo '{MARK}' $STATUS" for block in BLOCKS)
    # The page says .local, and its reader may have none of these.
    kept = {name: value for name, value in os.environ.items() if not re.search("_URL$|^KAFKA_|^OPS_", name)}
    done = subprocess.run(
        ["bash", "-uo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**kept, "SHOP_HOME": str(home), "PATH": f"{programs}:{os.environ['PATH']}", "COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=800,
        check=True,
    )
    parts = re.split(rf"\n{MARK} (\d+)\n", done.stdout)
    return [(int(status), output) for output, status in zip(parts[::2], parts[1::2], strict=False)]
