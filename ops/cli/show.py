"""How commands print what they have found: tables for people, JSON for programs, progress on a terminal."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

Progress = Callable[[str, int], object]
"""Called with what is being done, and how much of it has been done so far."""
Bar = Callable[[int, int], object]
"""Called with how much is done, and how much there is; 0 if that is unknown."""
PIPE_COLUMNS = 500
"""The width of what is no terminal: a table in a pipe must not be cut off at 80 columns."""


def screen() -> Console:
    """Where results are printed."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_COLUMNS)


def print_json(value: Any) -> None:
    """Print a value as one JSON document."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode())


def new_table(*columns: str, right: Iterable[str] = ()) -> Table:
    """A table with a heading; the columns in ``right`` hold numbers."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def add_row(table: Table, *values: Any, style: str = "") -> None:
    """Add a row of any values, which are no markup."""
    table.add_row(*(Text(shown(value)) for value in values), style=style)


def shown(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show on a terminal what is being done; show nothing elsewhere."""
    console = Console(stderr=True)
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


@contextmanager
def bar(what: str) -> Iterator[Bar]:
    """Show on a terminal how much of something is done; show nothing elsewhere."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        row = bars.add_task(escape(what), total=None)
        yield lambda done, total: bars.update(row, completed=done, total=total or None)
