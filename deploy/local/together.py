"""Do tasks at the same time, each as soon as what it needs is done."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from deploy.local.console import Console
from deploy.local.errors import Closed, LocalError
from deploy.local.progress import Progress
from deploy.local.stop import Stop

POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Task:
    """A step with a name. ``work`` reports to a ``Progress`` and returns what to say when it is done."""

    name: str
    work: Callable[[Progress], str]
    needs: frozenset[str] = field(default_factory=frozenset)


class _Doing(threading.Thread):
    """A task being done. A daemon, so that after a stop nothing waits for a download that hangs."""

    def __init__(self, task: Task, console: Console) -> None:
        super().__init__(name=task.name, daemon=True)
        self._task, self._console = task, console
        self.error: Exception | None = LocalError(f"{task.name} failed in a way nobody expected, see above")

    def run(self) -> None:
        try:
            with self._console.step(self._task.name) as step:
                step.done(self._task.work(step))
        except (LocalError, Closed) as error:
            self.error = error
        else:
            self.error = None


def do_all(tasks: Iterable[Task], console: Console, stop: Stop, watch: Callable[[], None]) -> None:
    """Do all tasks; the first failure is raised, and what then still runs is left to its own end.

    ``watch`` is called again and again meanwhile, and may raise; so does a wish to stop.
    """
    waiting = list(tasks)
    doing: list[_Doing] = []
    done: set[str] = set()
    while waiting or doing:
        for task in [task for task in waiting if task.needs <= done]:
            waiting.remove(task)
            doing.append(_Doing(task, console))
            doing[-1].start()
        for one in [one for one in doing if not one.is_alive()]:
            doing.remove(one)
            if one.error:
                raise one.error
            done.add(one.name)
        watch()
        stop.wait(POLL_SECONDS)
