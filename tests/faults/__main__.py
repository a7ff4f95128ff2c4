"""``make faults``: play the matrix, and write what became of it. See ``--help``."""

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
KEPT = ROOT / ".local" / "faults.jsonl"

console = Console(highlight=False)


def main(
    cells: Annotated[str, typer.Option(help="Only cells whose names match, like 'kafka*'.")] = "*",
    rounds: Annotated[int, typer.Option(min=1, help="Play each so often.")] = 1,
    minutes: Annotated[float, typer.Option(help="Begin no further cell after so many minutes.")] = 120.0,
    stop_seconds: Annotated[float, typer.Option(help="For how long event processes are SIGSTOPped.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of the traffic's chance.")] = 1,
    add: Annotated[bool, typer.Option(help="Add to what earlier runs found.")] = False,
) -> None:
    """Break the platform in every way that the matrix lists, and write docs/faults.md."""
    chosen = [cell for cell in matrix(stop_seconds) if fnmatch.fnmatch(cell.name, cells)] * rounds
    if not chosen:
        raise typer.BadParameter(f"no cell is called {cells}")
    KEPT.parent.mkdir(exist_ok=True)
    if not add:
        KEPT.unlink(missing_ok=True)
    try:
        bad = asyncio.run(_play(chosen, time.monotonic() + minutes * 60, random.Random(seed)))
    finally:
        outcomes = [read_outcome(line) for line in KEPT.read_bytes().splitlines()] if KEPT.exists() else []
        PAGE.write_text(report(outcomes))
        console.print(f"wrote {PAGE.relative_to(ROOT)}")
    raise typer.Exit(1 if bad else 0)


async def _play(cells: Sequence[Cell], until: float, chance: random.Random) -> int:
    """Play cells and keep their outcomes, and the logs where something was wrong; return how many were not clean."""
    with tempfile.TemporaryDirectory(prefix="shopstream-faults-") as home:
        return await _play_at(Path(home), cells, until, chance)


async def _play_at(home: Path, cells: Sequence[Cell], until: float, chance: random.Random) -> int:
    bad = 0
    async with world(home) as broken:
        for number, cell in enumerate(cells, 1):
            if time.monotonic() > until:
                console.print(f"out of time after {number - 1} of {len(cells)} cells")
                break
            outcome = await play(broken, cell, chance)
            bad += bool(outcome.findings)
            with KEPT.open("ab") as kept:
                kept.write(orjson.dumps(outcome) + b"\n")
            _tell(number, len(cells), outcome)
            if outcome.findings:
                _keep_logs(home, cell)
    return bad


def _keep_logs(home: Path, cell: Cell) -> None:
    """The platform goes with the run, and what it has said would go with it."""
    kept = KEPT.with_suffix("") / f"{re.sub(r'[^a-z]+', '-', cell.name.lower())}-{time.strftime('%H%M%S')}"
    for logs in (Path("logs"), Path("shop/logs")):
        shutil.copytree(home / logs, kept / logs)
    console.print(f"        logs: {kept.relative_to(ROOT)}")


def _tell(number: int, count: int, outcome: Outcome) -> None:
    verdict = "[red]NOT CLEAN[/red]" if outcome.findings else "[green]clean[/green]"
    done = ", ".join(f"{n} × {what}" for what, n in sorted(outcome.done.items()))
    console.print(
        f"{number:3}/{count} {outcome.cell}: {verdict}, {outcome.orders} orders, {outcome.seconds:.0f} s  {done}"
    )
    for finding in outcome.findings:
        console.print(f"        {finding}", markup=False)


if __name__ == "__main__":
    typer.run(main)
