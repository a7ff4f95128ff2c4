"""``python -m bench``: measure everything, or the named parts."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

from bench.accept import accept
from bench.amend_and_ship import amend_and_ship
from bench.catalogue import catalogue
from bench.consume import consume
from bench.endtoend import end_to_end
from bench.footprint import footprint
from bench.growth import growth
from bench.reading import reading
from bench.relay import relay
from bench.replay import replay
from bench.report import PAGE, RESULTS, save
from bench.scaling import scaling
from bench.streams import streams
from bench.traffic import traffic

PARTS: Mapping[str, Callable[[], Awaitable[Any]]] = {
    "accept": accept,
    "end_to_end": end_to_end,
    "amend_and_ship": amend_and_ship,
    "consume": consume,
    "traffic": traffic,
    "relay": relay,
    "scaling": scaling,
    "replay": replay,
    "growth": growth,
    "footprint": footprint,
    "catalogue": catalogue,
    "reading": reading,
    "streams": streams,
}


def bench(
    parts: Annotated[list[str] | None, typer.Argument(help=f"Any of {', '.join(PARTS)}; all by default.")] = None,
) -> None:
    """Measure the platform on local servers, beside yardsticks taken in the same run.

    Writes bench/results.json and bench/RESULTS.md after each part. All parts take about an hour; the machine
    should do nothing else.
    """
    chosen = parts or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        raise typer.BadParameter(f"no such part: {', '.join(sorted(unknown))}")
    console = Console()
    for number, name in enumerate(chosen, 1):
        started = time.perf_counter()
        with console.status(f"[{number}/{len(chosen)}] measuring {name}"):
            save(name, asyncio.run(_run(PARTS[name])))
        console.print(f"[{number}/{len(chosen)}] {name}: {time.perf_counter() - started:.0f} s")
    console.print(f"see {PAGE.name} and {RESULTS.name}")


async def _run(part: Callable[[], Awaitable[Any]]) -> Any:
    return await part()


if __name__ == "__main__":
    typer.run(bench)
