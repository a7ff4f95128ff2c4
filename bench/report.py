"""The results, as JSON with machine and versions, and as a Markdown page."""

import importlib.metadata
import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).with_name("RESULTS.md")
LIBRARIES = ("fastapi", "uvicorn", "pydantic", "sqlalchemy", "psycopg", "pymongo", "faust-streaming", "aiokafka")


def machine() -> dict[str, Any]:
    """The machine and the library versions."""
    return {
        "cores": os.cpu_count(),
        "architecture": platform.machine(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def save(part: str, result: Any) -> None:
    """Store the result of one part beside those of the others, and regenerate the page."""
    known = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    known[part] = {"machine": machine(), "result": result}
    RESULTS.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(known), encoding="utf-8")


def page(results: Mapping[str, Any]) -> str:
    """The results as Markdown."""
    parts = ["# Benchmark results\n\nWritten by `make bench`. Ratios compare figures of one run on one machine.\n"]
    for name, write in _SECTIONS.items():
        if found := results.get(name):
            parts += [write(found["result"]), _machine(found["machine"])]
    return "\n".join(parts)


def _machine(info: Mapping[str, Any]) -> str:
    libraries = ", ".join(f"{name} {info[name]}" for name in LIBRARIES)
    return (
        f"*{info['cores']} cores ({info['architecture']}), {info['memory_gib']} GiB, load {info['load_before']}"
        f" before the start; Python {info['python']}, {libraries}.*\n"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [heads, ["---"] * len(heads), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _cell(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _accept(result: Any) -> str:
    heads = ["clients", "orders/s", "echo/s", "ratio", "p50 ms", "p99 ms", "CPU µs per order", "CPU µs per echo"]
    keys = [
        "clients",
        "order_rate",
        "echo_rate",
        "ratio",
        "order_p50_ms",
        "order_p99_ms",
        "order_cpu_us",
        "echo_cpu_us",
    ]
    bench = ", ".join(f"{one['tps']:,.0f}/s at {one['clients']}" for one in result["pgbench"])
    table = _table(heads, ([row[key] for key in keys] for row in result["rows"]))
    return (
        f"## Accepting orders\n\n{table}\npgbench (TPC-B, scale 10, prepared) on the same server: {bench} clients.\n"
    )


def _end_to_end(result: Any) -> str:
    cpu = _table(["process", "CPU ms per order"], result["cpu_ms_per_order"].items())
    heads = ["fraction", "orders/s", "confirmed p50 ms", "p95", "p99", "mailed p50 ms", "p95", "p99"]
    steps = _table(
        heads,
        ([s["share"], s["rate"], *s["confirmed_ms"].values(), *s["mailed_ms"].values()] for s in result["steps"]),
    )
    one, twenty = result["latency_at_one"], result["cpu_at_twenty"]
    return (
        f"## From POST to receipt\n\nSustained for a minute: {result['rate']:.0f} orders/s, {result['ratio']:.3f} of"
        f" the echo's {result['echo_rate']:.0f}/s; {result['cpu_ms_total']:.2f} ms of CPU per order in all processes"
        f" (`bench` is the load generator), {result['cpu_ratio']:.1f} times that of an echo.\n\n{cpu}\nLatency at"
        f" fractions of that rate:\n\n{steps}\nAt one order a second: confirmed after"
        f" {one['confirmed_ms']['p50']:.0f} ms (p50), {one['confirmed_ms']['p99']:.0f} ms (p99); mailed after"
        f" {one['mailed_ms']['p50']:.0f} and {one['mailed_ms']['p99']:.0f} ms. At {twenty['rate']:.0f} orders/s:"
        f" {twenty['cores']:.2f} cores, {twenty['ms_per_order']:.1f} ms per order.\n"
    )


def _amend_and_ship(result: Any) -> str:
    amended, shipped = result["amended"], result["shipped"]
    rows = [[name, amended.get(name, 0.0), shipped.get(name, 0.0)] for name in amended | shipped]
    rows.append(["all", sum(amended.values()), sum(shipped.values())])
    table = _table(["process", "CPU ms per amendment", "CPU ms per shipment"], rows)
    about = f"{result['orders']:,} orders, amended and then shipped, each measured until its mail is sent:"
    return f"## After the receipt\n\n{about}\n\n{table}"


def _replay(result: Any) -> str:
    rows = [
        (
            one["handler"],
            *(f"{one[name]:,.0f}" for name in ("live", "everything", "nothing", "paced")),
            *(f"{one[name]:.2f}" for name in ("ratio_everything", "ratio_nothing")),
        )
        for one in result["runs"]
    ]
    heads = (
        "replay into",
        "live/s",
        "everything/s",
        "nothing/s",
        "asked for 1,000/s",
        "everything ÷ live",
        "nothing ÷ live",
    )
    plan = result["plan"]
    return (
        "## Replays beside the live handler: where everything has to be brought, and where nothing has to be\n\n"
        + _table(heads, rows)
        + f"\nA plan over {plan['events']:,} events: {plan['seconds']:.0f} s ({plan['rate']:,.0f} events/s), at most"
        f" {plan['memory_mib']:.0f} MiB more memory.\n\n" + _beside_live(result["beside_live"])
    )


def _beside_live(turns: Any) -> str:
    rows = []
    for turn in turns:
        for what in ("confirmed_ms", "mailed_ms"):
            alone, beside = turn["alone"][what]["p99"], turn["beside"][what]["p99"]
            figures = [what.removesuffix("_ms"), f"{alone:.0f}", f"{beside:.0f}", f"{beside / alone:.2f}"]
            rows.append([*figures, f"{turn['events']:,}", f"{turn['rate']:,.0f}"])
    heads = ["live orders, p99 ms", "alone", "beside a replay", "ratio", "events replayed", "events/s"]
    return _table(heads, rows)


def _consume(result: Any) -> str:
    heads = ["service", "events/s", "bare Faust", "ratio", "through aiokafka"]
    rows = ([r["handler"], r["rate"], r["bare_faust"], r["ratio"], r["aiokafka"]] for r in result)
    return f"## Handling events\n\nFrom a full topic, one process:\n\n{_table(heads, rows)}"


def _growth(result: Any) -> str:
    names = [name for name in result["few_ms"] if name in result["many_ms"]]
    rows = ([name, result["few_ms"][name], result["many_ms"][name]] for name in names)
    heads = ["CPU ms per order", f"{result['few']:,} stored", f"{result['many']:,} stored"]
    return f"## Growth\n\n{_table(heads, rows)}\nRatio of the totals: {result['ratio']:.2f}.\n"


def _footprint(result: Any) -> str:
    heads = ["process", "idle MiB", "loaded MiB", "idle CPU %", "seconds to ready"]
    keys = ["process", "idle_mib", "loaded_mib", "idle_cpu_percent", "ready_seconds"]
    return f"## Footprint\n\n{_table(heads, ([row[key] for key in keys] for row in result))}"


def _catalogue(result: Any) -> str:
    rates = {f"{what}ed": result.get(f"{what}_rate") for what in ("import", "export")}
    moved = ", ".join(f"{what} at {rate:,.0f} lines/s" for what, rate in rates.items() if rate)
    return (
        f"## A catalogue of {result['products']:,} products\n\nIt was {moved}. {_beside_echo(result)}"
        f"\n{result['crowd']} clients at once:\n\n{_requests(result['crowded'])}"
    )


def _reading(result: Any) -> str:
    return (
        f"## Reading {result['orders']:,} orders\n\nThe customer has about {result['own']:,} of them."
        f" {_beside_echo(result)}"
    )


def _beside_echo(result: Any) -> str:
    echo = result["echo"]
    return (
        f"{result['clients']} clients, each request another one, beside an echo of {echo['rate']:,.0f}/s (p50"
        f" {echo['p50_ms']:.3g} ms, p99 {echo['p99_ms']:.3g} ms):\n\n{_requests(result['rows'])}"
    )


def _traffic(result: Any) -> str:
    parts = ["## What an order sends and stores\n\nBy process and server, idle polling included.\n"]
    heads = ["process", "server", "round trips", "KiB sent", "KiB received"]
    for one in result:
        rows = ([row["process"], row["server"], row["trips"], row["sent"], row["received"]] for row in one["rows"])
        stored = ", ".join(f"{name} {kib:.1f}" for name, kib in one["stored_kib"].items())
        parts.append(f"At {one['rate']:.0f} orders/s, per order:\n\n{_table(heads, rows)}\nKiB stored: {stored}.\n")
    return "\n".join(parts)


def _relay(result: Any) -> str:
    heads = ["relay of", "events/s", "a producer alone", "ratio"]
    rows = ([one["relay"], one["rate"], one["producer"], one["ratio"]] for one in result)
    return f"## The relay\n\nFrom a full outbox:\n\n{_table(heads, rows)}"


def _scaling(result: Any) -> str:
    if "skipped" in result:
        return f"## More processes of a kind\n\nNot measured: {result['skipped']}.\n"
    rates = {(row["process"], row["count"]): row["rate"] for row in result["rows"]}
    rows = [
        [name, *(rates[name, n] for n in (1, 2, 3)), *(rates[name, n] / rates[name, 1] for n in (2, 3))]
        for name in dict.fromkeys(name for name, _ in rates)
    ]
    heads = ["process", "orders/s with 1", "2", "3", "2 ÷ 1", "3 ÷ 1"]
    about = f"Each process that is measured has {result['share']:.0%} of a core, the others as much as they need:"
    return f"## More processes of a kind\n\n{about}\n\n{_table(heads, rows)}"


def _streams(result: Any) -> str:
    heads = ["order_svc's REST process, idle", "CPU %", "MiB"]
    rows = [[what, *result[key].values()] for what, key in (("no stream", "without"), ("all streams", "with"))]
    return (
        f"## {result['streams']:,} open timeline streams\n\nOpened at {result['opened_per_second']:,.0f}/s."
        f" A change arrives after {result['delay_p50_ms']:.0f} ms (p50) and {result['delay_p99_ms']:.0f} ms (p99),"
        f" with the request itself.\n\n{_table(heads, rows)}"
    )


def _requests(kinds: Any) -> str:
    rows = ([name, row["p50_ms"], row["p99_ms"], row["rate"], _statuses(row)] for name, row in kinds.items())
    return _table(["request", "p50 ms", "p99 ms", "requests/s", "responses"], rows)


def _statuses(row: Any) -> str:
    return ", ".join(f"{status}: {count:,}" for status, count in row["statuses"].items())


_SECTIONS: Mapping[str, Callable[[Any], str]] = {
    "accept": _accept,
    "end_to_end": _end_to_end,
    "amend_and_ship": _amend_and_ship,
    "consume": _consume,
    "traffic": _traffic,
    "relay": _relay,
    "scaling": _scaling,
    "replay": _replay,
    "growth": _growth,
    "footprint": _footprint,
    "catalogue": _catalogue,
    "reading": _reading,
    "streams": _streams,
}
