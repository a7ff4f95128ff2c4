"""Run tasks in parallel, each as soon as the tasks before it are done."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from deploy.local.console import Console
from deploy.local.errors import LocalError, RunIsStopping
from deploy.local.progress import Progress
from deploy.local.stop import StopRequest

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Task:
    """A step with a name. ``work`` reports to a ``Progress``, and returns the text to print when it is done."""

    name: str
    work: Callable[[Progress], str]
    after: frozenset[str] = field(default_factory=frozenset)
    """The tasks that have to be done before."""


class _TaskThread(threading.Thread):
    """Runs one task. A daemon, so that after a stop nothing waits for a download that hangs."""

    def __init__(self, task: Task, console: Console) -> None:
        super().__init__(name=task.name, daemon=True)
        self._task, self._console = task, console
        self.error: Exception | None = LocalError(f"{task.name} failed unexpectedly, see the traceback above")

    def run(self) -> None:
        try:
            with self._console.step(self._task.name) as step:
                step.done(self._task.work(step))
        except (LocalError, RunIsStopping) as error:
            self.error = error
        else:
            self.error = None


def run_tasks(tasks: Iterable[Task], console: Console, stop: StopRequest, watch: Callable[[], None]) -> None:
    """Run all tasks. The first failure is raised, without waiting for the tasks that still run.

    ``watch`` is called regularly and may raise; a request to stop raises ``StopRequested``.
    """
    waiting = list(tasks)
    running: list[_TaskThread] = []
    done: set[str] = set()
    while waiting or running:
        for task in [task for task in waiting if task.after <= done]:
            waiting.remove(task)
            running.append(_TaskThread(task, console))
            running[-1].start()
        for thread in [thread for thread in running if not thread.is_alive()]:
            running.remove(thread)
            if thread.error:
                raise thread.error
            done.add(thread.name)
        watch()
        stop.wait(POLL_SECONDS)
