"""Writes docs/faults.md: what was done to the platform, how often, and the findings."""

from collections import Counter
from collections.abc import Iterable, Sequence

from chassis.runtime.failpoints import ACTIONS, POINTS
from tests.faults.matrix import matrix
from tests.faults.play import Outcome

INTRODUCTION = """\
# Fault injection: what happens when something breaks

This page is written by `make faults`. Each cell of the matrix (`tests/faults/matrix.py`) runs on the whole
platform, with a proxy in front of each server, under traffic: customers register, order (also more of a scarce
product than is in stock), amend, cancel and request returns, and retry every request that gets no response, orders
with the same `Idempotency-Key`; staff ship, also in parts, cancel what is left, deliver, receive returns and parcels
that were refused, and add stock. Then everything is healed, and the cell is clean if

- every order has ended, every key has exactly one order, and every order has a key;
- every order's timeline contains each event once, and every mail is in the ledger once;
- every mail has arrived, and twice only if it was in doubt, which is counted (decision 0006);
- the audit of all services and topics has no findings.

If a cell is not clean, the code is fixed together with a small test, and the cell is played again. Its earlier runs
are then removed from this page, and the [changelog](../CHANGELOG.md) describes the error.
"""


def report(outcomes: Sequence[Outcome]) -> str:
    """The page."""
    return "\n".join([INTRODUCTION, _summary(outcomes), *_table(outcomes), *_findings(outcomes), *_points()]) + "\n"


def _summary(outcomes: Sequence[Outcome]) -> str:
    done = _sum(outcome.done for outcome in outcomes)
    clean = sum(not outcome.findings for outcome in outcomes)
    kills = done["SIGKILL"] + done["server SIGKILL"]
    return (
        f"**{len(outcomes)} runs of {len({outcome.cell for outcome in outcomes})} cells, {clean} of them clean.**"
        f" {kills} kills (SIGKILL: {done['SIGKILL']} of processes, {done['server SIGKILL']} of servers) and"
        f" {done['SIGTERM']} SIGTERMs; {done['SIGSTOP']} processes stopped; {done['response lost']}"
        f" responses to commits and final dots lost. {sum(outcome.orders for outcome in outcomes):,} orders were"
        f" accepted meanwhile;"
        f" {sum(outcome.mails_twice for outcome in outcomes)} mails in doubt were sent twice.\n"
    )


def _table(outcomes: Sequence[Outcome]) -> Iterable[str]:
    yield "| cell | runs | what was done | orders | mails twice | clean |"
    yield "|---|---:|---|---:|---:|---:|"
    names = {outcome.cell for outcome in outcomes}
    for cell in [cell.name for cell in matrix() if cell.name in names]:
        runs = [outcome for outcome in outcomes if outcome.cell == cell]
        done = _sum(outcome.done for outcome in runs)
        what = ", ".join(f"{count} × {name}" for name, count in sorted(done.items()))
        orders, twice = sum(outcome.orders for outcome in runs), sum(outcome.mails_twice for outcome in runs)
        clean = sum(not outcome.findings for outcome in runs)
        yield f"| {cell} | {len(runs)} | {what} | {orders} | {twice} | {clean} |"


def _findings(outcomes: Sequence[Outcome]) -> Iterable[str]:
    found = [(outcome.cell, finding) for outcome in outcomes for finding in outcome.findings]
    yield "\n## Findings\n"
    if not found:
        yield "None."
    for cell, finding in found:
        yield f"- {cell}: {' '.join(finding.split())[:300]}"


def _points() -> Iterable[str]:
    yield "\n## Fail points\n"
    yield 'Places in the code at which a process can be made to fail: `FAILPOINTS="relay.marked=die@2"`, never in'
    yield "production. Disarmed, each costs one read of a boolean.\n"
    yield "| point | when a process reaches it |"
    yield "|---|---|"
    for point, moment in POINTS.items():
        yield f"| `{point}` | {moment} |"
    yield "\n| action | what happens |"
    yield "|---|---|"
    for action, effect in ACTIONS.items():
        yield f"| `{action}` | {effect} |"
    yield "\nAn event that kills the process each time it is handled is not in the matrix: the consumer counts its"
    yield "attempts, which `tests/chassis/` tests."


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counters:
        total += one
    return total
