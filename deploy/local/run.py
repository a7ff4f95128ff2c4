"""The run itself: start everything, place the sample order, stay up, stop everything, whatever happens."""

import os
import time
from functools import partial
from pathlib import Path

from deploy.local import pids, show
from deploy.local.console import Console
from deploy.local.errors import Crashed, LocalError
from deploy.local.home import locked
from deploy.local.layout import Layout, lay_out, server_tasks, service_tasks
from deploy.local.processes import end, ended
from deploy.local.progress import Progress
from deploy.local.provision import password_file
from deploy.local.record import RunRecord
from deploy.local.sample import Sample, place_sample_order
from deploy.local.stop import Stop, Stopped
from deploy.local.together import Task, do_all

SERVICE_GRACE = 10.0
SERVER_GRACE = 20.0
"""Seconds to end in order before being killed. A kill loses nothing, but the next start takes longer."""
WATCH_SECONDS = 0.25


def run(home: Path, *, services: bool = True, sample: bool = True, once: bool = False) -> int:
    """Start the servers, and the services on top if asked to; stay up; return the exit status."""
    console, stop = Console(), Stop()
    stop.listen()
    try:
        with locked(home):
            return _run(home, console, stop, services=services, sample=sample, once=once)
    except LocalError as error:
        console.failed(str(error), error.detail)
        return 1


def _run(home: Path, console: Console, stop: Stop, *, services: bool, sample: bool, once: bool) -> int:
    left = pids.reap(home / "pids")
    if left:
        console.print(f"  ended what an earlier run had left: {', '.join(left)}")
    layout = lay_out(home, services)
    record, state = RunRecord(home), "failed"
    try:
        _bring_up(layout, record, console, stop, sample=services and sample)
        while not once:
            _watch(layout)
            stop.wait(WATCH_SECONDS)
        state = "stopped"
    except Stopped:
        state = "stopped"
        return stop.status
    except LocalError as error:
        console.failed(str(error), error.detail)
        return 1
    finally:
        _end_all(layout, console, stop)
        record.ended(state)
    return 0


def _bring_up(layout: Layout, record: RunRecord, console: Console, stop: Stop, *, sample: bool) -> None:
    began = time.monotonic()
    outcome: list[Sample] = []
    tasks = server_tasks(layout, record) + (service_tasks(layout, record) if layout.rest else [])
    if sample:
        everything = frozenset(task.name for task in tasks)
        tasks.append(Task("sample order", partial(_order, layout, outcome), everything))
    with console.live():
        do_all(tasks, console, stop, partial(_watch, layout))
    if layout.rest:
        ops = layout.account("ops")
        record.ops(ops.email, password_file(layout.home, "ops"), os.environ.get("KAFKA_PREFIX", ""))
    record.up()
    for one in outcome:
        show.sample(console, one)
    show.running(console, layout, outcome[0] if outcome else None, time.monotonic() - began)
    stop.expected = True


def _order(layout: Layout, outcome: list[Sample], progress: Progress) -> str:
    progress.say("placing it through the REST API")
    sample = place_sample_order(layout.rest, layout.staff, layout.mail_page)
    outcome.append(sample)
    return f"{sample.order} is {sample.timeline['state']}"


def _watch(layout: Layout) -> None:
    """Raise ``Crashed`` for a process that was ready and has ended by itself."""
    for name in list(layout.up):
        child = layout.processes.lasting.get(name)
        if child and not child.running:
            raise Crashed(f"{name} {ended(child)}; the end of {child.log}:", child.last_lines())


def _end_all(layout: Layout, console: Console, stop: Stop) -> None:
    """End the services and then, when nobody needs them any more, the servers."""
    began = time.monotonic()
    layout.processes.close()
    children = [*layout.processes.jobs.values(), *layout.processes.lasting.values()]
    running = [child for child in children if child.running]
    if running:
        console.print(f"\nstopping {len(running)} processes (Ctrl-C again to hurry)")
    users = [child for child in children if child.name not in layout.servers]
    servers = [child for child in children if child.name in layout.servers]
    killed = end(users, SERVICE_GRACE, lambda: stop.hurried) + end(servers, SERVER_GRACE, lambda: stop.hurried)
    for server in layout.servers.values():
        server.stop()  # they have ended: what is left is to tidy up
    if running:
        words = f"; had to kill {', '.join(killed)}" if killed else ""
        console.print(f"[green]✓[/] stopped{words}  [dim]{time.monotonic() - began:.1f} s[/]", wrap=False)
