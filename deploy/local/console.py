"""What the runner prints: live bars on a terminal, plain lines anywhere else."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console as Screen
from rich.console import RenderableType
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Task as Row
from rich.progress_bar import ProgressBar
from rich.text import Text

NAME_WIDTH = 20


class Console:
    """The runner's output. It goes quiet when nobody can read it any more; the run must not die of that."""

    def __init__(self) -> None:
        self.screen = Screen(highlight=False)
        self._lock = threading.Lock()
        self._live = Progress(
            SpinnerColumn(),
            TextColumn(f"{{task.fields[name]:<{NAME_WIDTH}}}"),
            TextColumn("{task.description}"),
            _Bar(),
            _Size(),
            TimeElapsedColumn(),
            console=self.screen,
            transient=True,
        )

    @property
    def is_terminal(self) -> bool:
        """Whether somebody watches it live."""
        return self.screen.is_terminal

    def print(self, what: RenderableType = "", *, wrap: bool = True) -> None:
        """Print text (with rich's markup) or a table."""
        try:
            with self._lock:
                self.screen.print(what, soft_wrap=not wrap)
        except OSError:
            self.screen.quiet = True

    def verbatim(self, text: str) -> None:
        """Print text as it is: to be copied, or not ours."""
        self.print(escape(text), wrap=False)

    def failed(self, message: str, detail: str = "") -> None:
        """Print an error, and log lines that belong to it."""
        self.print(f"[bold red]✗[/] {escape(message)}", wrap=False)
        if detail:
            self.verbatim("\n".join(f"    {line}" for line in detail.splitlines()))

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the steps that are in work at the bottom of the terminal."""
        if not self.is_terminal:
            yield
            return
        with self._live:
            yield

    @contextmanager
    def step(self, name: str) -> Iterator["Step"]:
        """Show one step until it ends; it prints how long it took."""
        row = self._live.add_task("", name=name, total=None) if self.is_terminal else None
        try:
            yield Step(self, name, self._live, row)
        finally:
            if row is not None:
                self._live.remove_task(row)


class Step:
    """One step in work; a ``Progress`` for the adapters."""

    def __init__(self, console: Console, name: str, live: Progress, row: TaskID | None) -> None:
        self._console, self._name, self._live, self._row = console, name, live, row
        self._began = time.monotonic()
        self._quarter = 0

    def say(self, text: str) -> None:
        """Name what is being done now."""
        if self._row is None:
            self._console.print(f"  {self._name:<{NAME_WIDTH}} {escape(text)}", wrap=False)
        else:
            self._live.update(self._row, description=escape(text), fetched=None)

    def fetched(self, done: int, total: int) -> None:
        """Move the bar; where there is none, print a line at each quarter."""
        if self._row is not None:
            self._live.update(self._row, fetched=(done, total))
        elif 4 * done // total > self._quarter:
            self._quarter = 4 * done // total
            self.say(f"fetched {done / 2**20:.0f} of {total / 2**20:.0f} MiB")

    def done(self, text: str) -> None:
        """Print that it is done, and how long it took."""
        seconds = time.monotonic() - self._began
        line = f"[green]✓[/] {self._name:<{NAME_WIDTH}} {escape(text)}  [dim]{seconds:.1f} s[/]"
        self._console.print(line, wrap=False)


class _Bar(ProgressColumn):
    """A bar, for the steps that fetch something and while they do."""

    def render(self, task: Row) -> RenderableType:
        """Render one cell."""
        done, total = task.fields.get("fetched") or (0, 0)
        return ProgressBar(total=total, completed=done, width=30) if total else ""


class _Size(ProgressColumn):
    """How much of it has come."""

    def render(self, task: Row) -> RenderableType:
        """Render one cell."""
        done, total = task.fields.get("fetched") or (0, 0)
        return Text(f"{done / 2**20:.0f}/{total / 2**20:.0f} MiB") if total else ""
