"""Writes docs/faults.md: what was done to the platform, how often, and what was wrong in the end."""

from collections import Counter
from collections.abc import Iterable, Sequence

from chassis.runtime.failpoints import ACTIONS, POINTS
from tests.faults.matrix import matrix
from tests.faults.play import Outcome

INTRODUCTION = """\
# What happens when it breaks

This page is written by `make faults`. Each cell of the matrix (`tests/faults/matrix.py`) runs on the whole
platform, on servers of its own with a proxy before each, under traffic: customers who register, order (also more
than there is of a scarce product), amend, cancel, and repeat every request that was not answered, orders under the
same `Idempotency-Key`; staff who ship, in parts too, deliver and take back; and deliveries to the shelves. Then
everything is healed, and the cell is good when

- every order has ended, every key has exactly one order, and no order is without a key;
- every order's timeline tells each thing once, and every mail is in the ledger once;
- every mail has arrived, and twice only where it was in doubt, which is counted (decision 0006);
- the audit of all services and topics finds nothing.

A cell that was not clean is played again once the code is mended, with a small test next to it; its bad runs then
go from this page, and what was wrong stands in the [changelog](../CHANGELOG.md).
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
        f" {done['SIGTERM']} SIGTERMs; {done['SIGSTOP']} processes stopped; {done['answer lost']} answers to commits"
        f" and dots lost. {sum(outcome.orders for outcome in outcomes):,} orders were accepted meanwhile;"
        f" {sum(outcome.mails_twice for outcome in outcomes)} mails that were in doubt came a second time.\n"
    )


def _table(outcomes: Sequence[Outcome]) -> Iterable[str]:
    yield "| cell | runs | what was done | orders | mails twice | clean |"
    yield "|---|---:|---|---:|---:|---:|"
    played = {outcome.cell for outcome in outcomes}
    for cell in [cell.name for cell in matrix() if cell.name in played]:
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
    yield "\n## Fault points\n"
    yield 'Places in the code at which a process can be told to fail: `FAILPOINTS="relay.marked=die@2"`, never in'
    yield "production. Off, each costs a look at a boolean.\n"
    yield "| point | when a process comes to it |"
    yield "|---|---|"
    for point, moment in POINTS.items():
        yield f"| `{point}` | {moment} |"
    yield "\n| action | what happens |"
    yield "|---|---|"
    for action, effect in ACTIONS.items():
        yield f"| `{action}` | {effect} |"
    yield "\nAn event that kills its process each time it is handled is the consumer's to count, and is tested there:"
    yield "`tests/chassis/test_consumer.py`."


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for one in counters:
        total += one
    return total
