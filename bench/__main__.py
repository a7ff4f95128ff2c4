"""``python -m bench``: measure everything, or the parts that are named."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

from bench.accept import accept
from bench.amend_and_ship import amend_and_ship
from bench.consume import consume
from bench.endtoend import end_to_end
from bench.footprint import footprint
from bench.growth import growth
from bench.report import PAGE, RESULTS, keep

PARTS: Mapping[str, Callable[[], Awaitable[Any]]] = {
    "accept": accept,
    "end_to_end": end_to_end,
    "amend_and_ship": amend_and_ship,
    "consume": consume,
    "growth": growth,
    "footprint": footprint,
}


def bench(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PARTS)}; all of them by default.")] = None,
) -> None:
    """Measure the platform on local servers, beside yardsticks taken in the same run.

    Writes bench/results.json and bench/RESULTS.md after each part. All of it takes about twenty minutes, and wants a
    machine that does nothing else.
    """
    chosen = parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        raise typer.BadParameter(f"no such part: {', '.join(sorted(unknown))}")
    console = Console()
    for nth, name in enumerate(chosen, 1):
        began = time.perf_counter()
        with console.status(f"[{nth}/{len(chosen)}] measuring {name}"):
            keep(name, asyncio.run(_run(PARTS[name])))
        console.print(f"[{nth}/{len(chosen)}] {name}: {time.perf_counter() - began:.0f} s")
    console.print(f"see {PAGE.name} and {RESULTS.name}")


async def _run(part: Callable[[], Awaitable[Any]]) -> Any:
    return await part()


if __name__ == "__main__":
    typer.run(bench)
