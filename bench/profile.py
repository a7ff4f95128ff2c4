"""``python -m bench.profile``: where each process spends the time of an order, by py-spy.

The platform runs under a steady load while each process is sampled in turn. Prints the functions in which each
process spends most of its time (including callees), and writes the stacks for a flame graph. May need root on
Linux.
"""

import asyncio
import subprocess
import sysconfig
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bench.endtoend import drained
from bench.shop import WORKERS, Shop, shop

PY_SPY = Path(sysconfig.get_path("scripts")) / "py-spy"
OURS = ("chassis/", "_svc/", "schemas/")
NAMES = ("order", *WORKERS)
WAITING = ("select (selectors.py", "_worker (concurrent", "wait (threading.py")
"""The innermost frames of idle threads."""


def profile(
    rate: Annotated[float, typer.Option(help="Orders a second.")] = 50.0,
    seconds: Annotated[int, typer.Option(help="Seconds for which each process is sampled.")] = 10,
    top: Annotated[int, typer.Option(help="Functions listed per process.")] = 15,
    keep: Annotated[Path, typer.Option(help="Directory for the stacks.")] = Path(".local/profiles"),
) -> None:
    """Sample every process that an order passes through, under a steady load."""
    keep.mkdir(parents=True, exist_ok=True)
    asyncio.run(_profile(rate, seconds, top, keep))


async def _profile(rate: float, seconds: int, top: int, keep: Path) -> None:
    console = Console()
    async with shop() as running:
        load = running.load()
        loading = asyncio.create_task(load.open_loop(rate, seconds=(seconds + 2) * len(NAMES)))
        for name in NAMES:
            stacks = keep / f"{name}.txt"
            await asyncio.to_thread(_sample, running, name, seconds, stacks)
            console.print(_table(name, stacks.read_text(encoding="utf-8"), top))
        await loading
        await drained(running, load)


def _sample(running: Shop, name: str, seconds: int, to: Path) -> None:
    pid = str(running.stack.child(name).pid)
    command = [PY_SPY, "record", "-d", str(seconds), "-r", "200", "-f", "raw", "-o", to, "--pid", pid]
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


def _table(name: str, stacks: str, top: int) -> Table:
    samples: Counter[str] = Counter()
    total = 0
    for line in stacks.splitlines():
        stack, _, times = line.rpartition(" ")
        if any(waiting in stack.rpartition(";")[2] for waiting in WAITING):
            continue
        total += int(times)
        # A function counts once per sample, however deep it recurs.
        for frame in {_short(frame) for frame in stack.split(";")}:
            samples[frame] += int(times)
    table = Table("share", "function", title=f"{name}: {total} samples, without idle ones")
    ours = ((frame, count) for frame, count in samples.most_common() if any(place in frame for place in OURS))
    for (frame, count), _ in zip(ours, range(top), strict=False):
        table.add_row(f"{count / max(total, 1):.0%}", frame)
    return table


def _short(frame: str) -> str:
    function, _, place = frame.partition(" (")
    file = "/".join(place.partition(":")[0].rstrip(")").split("/")[-2:])
    return f"{function} ({file})"


if __name__ == "__main__":
    typer.run(profile)
