"""A run: start everything, place or show the sample order, stay up, and in the end stop everything, whatever happens.

A process that ends during the start ends the run; one that ends later is started again.
"""

import os
import time
from functools import partial
from pathlib import Path

from deploy.local import pid_files, summary
from deploy.local.console import Console
from deploy.local.errors import LocalError, ProcessCrashed
from deploy.local.home import locked, make_private
from deploy.local.layout import Layout, make_layout
from deploy.local.processes import how_it_ended, stop_all
from deploy.local.progress import Progress
from deploy.local.provision import password_file
from deploy.local.restarts import Restarts
from deploy.local.run_file import RunFile
from deploy.local.sample_order import SampleOrder, show_or_place
from deploy.local.stop import StopRequest, StopRequested
from deploy.local.task_graph import Task, run_tasks
from deploy.local.tasks import server_tasks, service_tasks

SERVICE_GRACE = 10.0
SERVER_GRACE = 20.0
"""Seconds for an orderly stop before the kill. A kill loses nothing, but the next start takes longer."""
WATCH_SECONDS = 0.25


def run(home: Path, *, services: bool = True, sample: bool | None = None, once: bool = False) -> int:
    """Start the servers and, unless declined, the services; stay up; return the exit status.

    ``sample``: place another sample order, or none; None places one where this home has none, and else shows it.
    """
    console, stop = Console(), StopRequest()
    stop.install_handlers()
    try:
        make_private(home)
        with locked(home):
            return _run(home, console, stop, services=services, sample=sample, once=once)
    except LocalError as error:
        console.error(str(error), error.detail)
        return 1


def _run(home: Path, console: Console, stop: StopRequest, *, services: bool, sample: bool | None, once: bool) -> int:
    leftovers = pid_files.stop_leftovers(home / "pids")
    if leftovers:
        console.print(f"  stopped processes that an earlier run had left: {', '.join(leftovers)}")
    layout = make_layout(home, services)
    run_file, state = RunFile(home), "failed"
    restarts = Restarts(layout.restarts, layout.ready, layout.processes.started, run_file, console)
    try:
        _start(layout, run_file, console, stop, sample=sample if services else False)
        while not once:
            restarts.check()
            stop.wait(WATCH_SECONDS)
        state = "stopped"
    except StopRequested:
        state = "stopped"
        return stop.status
    except LocalError as error:
        console.error(str(error), error.detail)
        return 1
    finally:
        restarts.close()
        _stop(layout, console, stop)
        run_file.set_ended(state)
    return 0


def _start(layout: Layout, run_file: RunFile, console: Console, stop: StopRequest, *, sample: bool | None) -> None:
    started = time.monotonic()
    orders: list[SampleOrder] = []
    tasks = server_tasks(layout, run_file) + (service_tasks(layout, run_file) if layout.rest else [])
    if sample is not False and (mail_page := layout.mail_page):
        everything = frozenset(task.name for task in tasks)
        work = partial(_show_or_place, layout, mail_page, orders, again=bool(sample))
        tasks.append(Task("sample order", work, everything))
    elif sample is not False:
        console.print("  no sample order: the mail with its customer's link goes to the server of SMTP_URL")
    with console.live():
        run_tasks(tasks, console, stop, partial(_watch, layout))
    if layout.rest:
        ops = layout.account("ops")
        prefix = os.environ.get("KAFKA_PREFIX", "")
        run_file.set_ops(ops.email, password_file(layout.home, "ops"), layout.ops_brokers, prefix)
        run_file.set_staff(layout.account("staff").email, password_file(layout.home, "staff"))
    run_file.set_up()
    for order in orders:
        summary.print_sample_order(console, order)
    summary.print_addresses(console, layout, orders[0] if orders else None, time.monotonic() - started)
    stop.expected = True


def _show_or_place(
    layout: Layout, mail_page: str, orders: list[SampleOrder], progress: Progress, *, again: bool
) -> str:
    progress.report("using the REST API")
    kept = layout.home / "secrets" / "sample-order.json"
    order = show_or_place(kept, layout.rest, layout.account("staff"), mail_page, again=again)
    orders.append(order)
    earlier = "" if order.is_new else " (of an earlier run: --sample places another)"
    return f"{order.order_id} is {order.timeline['state']}{earlier}"


def _watch(layout: Layout) -> None:
    """Raise ``ProcessCrashed`` for a process that was ready and has ended by itself."""
    for name in list(layout.ready):
        child = layout.processes.started.get(name)
        if child and not child.running:
            raise ProcessCrashed(f"{name} {how_it_ended(child)}; the end of {child.log}:", child.last_lines())


def _stop(layout: Layout, console: Console, stop: StopRequest) -> None:
    """Stop the services and then, when nothing needs them any more, the servers."""
    began = time.monotonic()
    layout.processes.close()
    children = [*layout.processes.jobs.values(), *layout.processes.started.values()]
    running = [child for child in children if child.running]
    if running:
        console.print(f"\nstopping {len(running)} processes (Ctrl-C again to hurry)")
    clients = [child for child in children if child.name not in layout.servers]
    servers = [child for child in children if child.name in layout.servers]
    killed = stop_all(clients, SERVICE_GRACE, lambda: stop.hurried)
    layout.fork_server.close()
    killed += stop_all(servers, SERVER_GRACE, lambda: stop.hurried)
    for server in layout.servers.values():
        server.stop()  # their processes have ended: this tidies up
    if running:
        note = f"; had to kill {', '.join(killed)}" if killed else ""
        console.print(f"[green]✓[/] stopped{note}  [dim]{time.monotonic() - began:.1f} s[/]", wrap=False)
