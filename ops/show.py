"""What the command line shows of an audit: for people, and for programs."""

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

SHOWN = 20
"""Findings of one check that people are shown."""


@contextmanager
def progress(console: Console) -> Iterator[Progress]:
    """Show what is being read, while it is; nothing where nobody watches."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:,}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        rows = {"": bars.add_task("starting", total=None)}

        def tell(what: str, count: int) -> None:
            if what not in rows:
                rows[what] = bars.add_task(escape(what), total=None)
                bars.update(rows[list(rows)[-2]], visible=False)
            bars.update(rows[what], completed=count)

        yield tell


def as_json(report: Report) -> str:
    """Everything, as one JSON document."""
    return orjson.dumps({"ok": report.ok, **asdict(report)}, option=orjson.OPT_INDENT_2).decode()


def for_people(console: Console, report: Report, seconds: float) -> None:
    """What was looked at, and what was found."""
    numbers = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    numbers.add_column()
    numbers.add_column(justify="right")
    for name, count in report.counts.items():
        numbers.add_row(name.replace("_", " "), f"{count:,}")
    console.print(numbers)
    for note in report.notes:
        console.print(f"[yellow]![/] {escape(note)}")
    for check in dict.fromkeys(one.check for one in report.findings):
        _show_check(console, report, check)
    found = (
        f"[bold red]✗[/] {len(report.findings):,} findings" if report.findings else "[green]✓[/] everything adds up"
    )
    console.print(f"{found}  [dim]{seconds:.1f} s[/]")


def _show_check(console: Console, report: Report, check: str) -> None:
    findings = [one for one in report.findings if one.check == check]
    console.print(f"\n[bold]{check}[/] {len(findings):,}")
    for one in findings[:SHOWN]:
        console.print(f"  {escape(one.subject)}  {escape(one.detail)}", soft_wrap=True)
    if len(findings) > SHOWN:
        console.print(f"  and {len(findings) - SHOWN:,} more: --json lists them")
