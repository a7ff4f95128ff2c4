"""``shop audit``."""

import time
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ops.audit import Report, audit
from ops.cli import show
from ops.cli.command import FINDINGS, Connection, on_platform
from ops.cli.options import AsJson

MAX_SHOWN = 20
"""At most so many findings of one check are printed."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit_command)


@on_platform("audit")
async def audit_command(
    shop: Connection,
    settle: Annotated[
        float, typer.Option(min=0, help="Ignore differences between services that are newer than this, in seconds.")
    ] = 10.0,
    deadline: Annotated[
        float, typer.Option(min=0, envvar="ORDER_DEADLINE_SECONDS", help="Seconds for which an order may be PENDING.")
    ] = 600.0,
    as_json: AsJson = False,
) -> None:
    """Check that everything adds up: stock, orders, reservations, events, mails.

    Reads the ops API of every service (role ops) and all event topics. Changes nothing, and can be run at any time,
    also under load: differences between services that are newer than --settle seconds are ignored.

    Exits with 0 if everything adds up, 1 if there are findings, 2 if the shop could not be audited.

    Examples:

        shop audit
        shop audit --settle 30 --json | jq '.findings[]'
    """
    started = time.monotonic()
    with show.progress() as progress:
        report = await audit(
            shop.platform.shop,
            shop.rest.headers,
            settle_seconds=settle,
            deadline_seconds=deadline,
            progress=progress,
        )
    if as_json:
        show.print_json({"ok": report.ok, **asdict(report)})
    else:
        print_report(show.screen(), report, time.monotonic() - started)
    raise typer.Exit(0 if report.ok else FINDINGS)


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
