"""``make faults``: play the fault matrix, and write the results. See ``--help``."""

import asyncio
import fnmatch
import random
import re
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from tests.faults.matrix import Cell, matrix
from tests.faults.play import Outcome, play, read_outcome
from tests.faults.report import report
from tests.faults.world import world

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
OUTCOMES = ROOT / "tests" / "faults" / "outcomes.jsonl"
"""What docs/faults.md shows, and a later run with ``--add`` keeps."""
LOGS = ROOT / ".local" / "faults"

console = Console(highlight=False)


def main(
    cells: Annotated[str, typer.Option(help="Play only cells whose names match, like 'kafka*'.")] = "*",
    rounds: Annotated[int, typer.Option(min=1, help="How often each cell is played.")] = 1,
    times: Annotated[int, typer.Option(min=1, help="How often a job of ops is killed at each of its points.")] = 1,
    minutes: Annotated[float, typer.Option(help="Start no further cell after this time.")] = 120.0,
    stop_seconds: Annotated[float, typer.Option(help="How long event processes are SIGSTOPped.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Seed of the random traffic.")] = 1,
    add: Annotated[bool, typer.Option(help="Keep the outcomes of earlier runs.")] = False,
) -> None:
    """Break the platform in every way that the matrix lists, and write docs/faults.md."""
    chosen = [cell for cell in matrix(stop_seconds, times) if fnmatch.fnmatch(cell.name, cells)] * rounds
    if not chosen:
        raise typer.BadParameter(f"no cell matches {cells}")
    if not add:
        OUTCOMES.unlink(missing_ok=True)
    try:
        with_findings = asyncio.run(_play(chosen, time.monotonic() + minutes * 60, random.Random(seed)))
    finally:
        outcomes = [read_outcome(line) for line in OUTCOMES.read_bytes().splitlines()] if OUTCOMES.exists() else []
        PAGE.write_text(report(outcomes))
        console.print(f"wrote {PAGE.relative_to(ROOT)}")
    raise typer.Exit(1 if with_findings else 0)


async def _play(cells: Sequence[Cell], until: float, rng: random.Random) -> int:
    """Play cells, and store their outcomes, and the logs of those with findings; return the number of those."""
    with tempfile.TemporaryDirectory(prefix="shopstream-faults-") as home:
        return await _play_at(Path(home), cells, until, rng)


async def _play_at(home: Path, cells: Sequence[Cell], until: float, rng: random.Random) -> int:
    with_findings = 0
    async with world(home) as running:
        for number, cell in enumerate(cells, 1):
            if time.monotonic() > until:
                console.print(f"out of time after {number - 1} of {len(cells)} cells")
                break
            outcome = await play(running, cell, rng)
            with_findings += bool(outcome.findings)
            with OUTCOMES.open("ab") as file:
                file.write(orjson.dumps(outcome) + b"\n")
            _print(number, len(cells), outcome)
            if outcome.findings:
                _keep_logs(home, cell)
    return with_findings


def _keep_logs(home: Path, cell: Cell) -> None:
    """Copy the logs, which would be deleted together with the platform."""
    target = LOGS / f"{re.sub(r'[^a-z]+', '-', cell.name.lower())}-{time.strftime('%H%M%S')}"
    for logs in (Path("logs"), Path("shop/logs")):
        shutil.copytree(home / logs, target / logs)
    console.print(f"        logs: {target.relative_to(ROOT)}")


def _print(number: int, count: int, outcome: Outcome) -> None:
    verdict = "[red]NOT CLEAN[/red]" if outcome.findings else "[green]clean[/green]"
    done = ", ".join(f"{n} × {what}" for what, n in sorted(outcome.done.items()))
    console.print(
        f"{number:3}/{count} {outcome.cell}: {verdict}, {outcome.orders} orders, {outcome.seconds:.0f} s  {done}"
    )
    for finding in outcome.findings:
        console.print(f"        {finding}", markup=False)


if __name__ == "__main__":
    typer.run(main)
