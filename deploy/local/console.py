"""The runner's output: live progress bars on a terminal, plain lines anywhere else."""

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
    """The runner's output. When it cannot be written any more, it is dropped: the run must not fail because of it."""

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
        """Whether the output is a terminal."""
        return self.screen.is_terminal

    def print(self, content: RenderableType = "", *, wrap: bool = True) -> None:
        """Print text (with markup for rich) or a table."""
        try:
            with self._lock:
                self.screen.print(content, soft_wrap=not wrap)
        except OSError:
            self.screen.quiet = True

    def verbatim(self, text: str) -> None:
        """Print text as it is: commands to copy, or text from elsewhere."""
        self.print(escape(text), wrap=False)

    def error(self, message: str, detail: str = "") -> None:
        """Print an error, with the log lines that belong to it."""
        self.print(f"[bold red]✗[/] {escape(message)}", wrap=False)
        if detail:
            self.verbatim("\n".join(f"    {line}" for line in detail.splitlines()))

    @contextmanager
    def live(self) -> Iterator[None]:
        """Show the active steps at the bottom of the terminal."""
        if not self.is_terminal:
            yield
            return
        with self._live:
            yield

    @contextmanager
    def step(self, name: str) -> Iterator["Step"]:
        """Show one step until it ends."""
        row = self._live.add_task("", name=name, total=None) if self.is_terminal else None
        try:
            yield Step(self, name, self._live, row)
        finally:
            if row is not None:
                self._live.remove_task(row)


class Step:
    """One active step; a ``Progress`` for the adapters."""

    def __init__(self, console: Console, name: str, live: Progress, row: TaskID | None) -> None:
        self._console, self._name, self._live, self._row = console, name, live, row
        self._started = time.monotonic()
        self._quarter = 0

    def report(self, text: str) -> None:
        """Name the current activity."""
        if self._row is None:
            self._console.print(f"  {self._name:<{NAME_WIDTH}} {escape(text)}", wrap=False)
        else:
            self._live.update(self._row, description=escape(text), downloaded=None)

    def downloaded(self, done: int, total: int) -> None:
        """Move the bar; where there is none, print a line at each quarter."""
        if self._row is not None:
            self._live.update(self._row, downloaded=(done, total))
        elif 4 * done // total > self._quarter:
            self._quarter = 4 * done // total
            self.report(f"downloaded {done / 2**20:.0f} of {total / 2**20:.0f} MiB")

    def done(self, text: str) -> None:
        """Print its result, and how long it took."""
        seconds = time.monotonic() - self._started
        line = f"[green]✓[/] {self._name:<{NAME_WIDTH}} {escape(text)}  [dim]{seconds:.1f} s[/]"
        self._console.print(line, wrap=False)


class _Bar(ProgressColumn):
    """A progress bar, while a step downloads something."""

    def render(self, task: Row) -> RenderableType:
        """Render one cell."""
        done, total = task.fields.get("downloaded") or (0, 0)
        return ProgressBar(total=total, completed=done, width=30) if total else ""


class _Size(ProgressColumn):
    """How much of the download has arrived."""

    def render(self, task: Row) -> RenderableType:
        """Render one cell."""
        done, total = task.fields.get("downloaded") or (0, 0)
        return Text(f"{done / 2**20:.0f}/{total / 2**20:.0f} MiB") if total else ""
