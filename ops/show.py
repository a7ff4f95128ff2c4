"""The output of an audit: text for people, JSON for programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import orjson
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Bars
from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from ops.audit import Progress, Report

MAX_SHOWN = 20
"""At most so many findings of one check are printed."""


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    """Show on a terminal what is being read; show nothing elsewhere."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        rows = {"": bars.add_task("starting", total=None)}

        def report(what: str, count: int) -> None:
            if what not in rows:
                rows[what] = bars.add_task(escape(what), total=None)
                bars.update(rows[list(rows)[-2]], visible=False)
            bars.update(rows[what], completed=count)

        yield report


def as_json(report: Report) -> str:
    """The report as one JSON document."""
    return orjson.dumps({"ok": report.ok, **asdict(report)}, option=orjson.OPT_INDENT_2).decode()


def print_report(console: Console, report: Report, seconds: float) -> None:
    """Print what was read and what was found."""
    numbers = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    numbers.add_column()
    numbers.add_column(justify="right")
    for name, count in report.counts.items():
        numbers.add_row(name.replace("_", " "), f"{count:,}")
    console.print(numbers)
    for note in report.notes:
        console.print(f"[yellow]![/] {escape(note)}")
    for check in dict.fromkeys(finding.check for finding in report.findings):
        _print_check(console, report, check)
    verdict = (
        f"[bold red]✗[/] {len(report.findings):,} findings" if report.findings else "[green]✓[/] everything adds up"
    )
    console.print(f"{verdict}  [dim]{seconds:.1f} s[/]")


def _print_check(console: Console, report: Report, check: str) -> None:
    findings = [finding for finding in report.findings if finding.check == check]
    console.print(f"\n[bold]{check}[/] {len(findings):,}")
    for finding in findings[:MAX_SHOWN]:
        console.print(f"  {escape(finding.subject)}  {escape(finding.detail)}", soft_wrap=True)
    if len(findings) > MAX_SHOWN:
        console.print(f"  and {len(findings) - MAX_SHOWN:,} more: use --json to list them")
