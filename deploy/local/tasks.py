"""The steps of a start, and their order: servers, topics, databases, migrations, accounts, processes."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from deploy.addresses import Addresses
from deploy.local import provision
from deploy.local.external import ExternalServer
from deploy.local.layout import Layout
from deploy.local.mail import Mail
from deploy.local.processes import Child
from deploy.local.progress import Progress
from deploy.local.restarts import Restart
from deploy.local.run_file import RunFile
from deploy.local.server import LocalServer
from deploy.local.services import ServiceProcess, service_process, start_until_ready, wait_until_ready
from deploy.local.task_graph import Task
from deploy.resources import Program, Service
from deploy.system import ACCOUNTS, CREATE_TOPICS, CUSTOMER, KAFKA, MIGRATIONS, MONGO, POSTGRES, ROLES, SYSTEM

CODE = "code"
DATABASES = "databases"
MONGO_USERS = "mongo-users"
FOR_PEOPLE = {"LOG_FORMAT": "console", "ACCESS_LOG": "true"}
"""Settings that make the logs of a local run readable, unless the environment says otherwise."""


def server_tasks(layout: Layout, run_file: RunFile) -> list[Task]:
    """Return one step per server."""
    return [Task(name, partial(_start_server, server, layout, run_file)) for name, server in layout.servers.items()]


def _start_server(server: LocalServer | ExternalServer, layout: Layout, run_file: RunFile, progress: Progress) -> str:
    if isinstance(server, LocalServer):
        server.progress = progress
    progress.report("preparing")
    server.prepare()
    progress.report("starting")
    server.start()
    page = {"page": server.page_url} if isinstance(server, Mail) else {}
    run_file.add_process(server.name, server.url, server.pid, server.log, **page)
    progress.report("started, waiting until it is ready")
    server.ready()
    if isinstance(server, LocalServer):
        layout.restarts[server.name] = _restart_of(server)
    layout.ready.add(server.name)
    return f"{_without_credentials(server.url)}{' (external)' if server.pid is None else ''}"


def _restart_of(server: LocalServer) -> Restart:
    def start() -> Child:
        server.start()
        assert server.child
        return server.child

    return Restart(start, lambda _: server.ready())


def _without_credentials(url: str) -> str:
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"


def service_tasks(layout: Layout, run_file: RunFile) -> list[Task]:
    """Return the steps from running servers to running services."""
    addresses = layout.addresses()
    return [
        *_preparations(layout, addresses),
        *_migrations(layout, addresses),
        *_accounts(layout, addresses),
        *_processes(layout, addresses, run_file),
    ]


def _preparations(layout: Layout, addresses: Addresses) -> Iterator[Task]:
    topics = partial(provision.create_missing_topics, addresses, grant=layout.has_grants)
    yield _task(CREATE_TOPICS.name, topics, KAFKA.name)
    yield _task(DATABASES, partial(provision.create_missing_databases, addresses), POSTGRES.name)
    yield _task(MONGO_USERS, partial(provision.create_mongo_users, addresses), MONGO.name)
    yield _task(CODE, partial(provision.load_code, layout.fork_server, layout.processes.logs))


def _migrations(layout: Layout, addresses: Addresses) -> Iterator[Task]:
    for job in MIGRATIONS:
        (server,) = job.connects_to
        database = DATABASES if server is POSTGRES else MONGO_USERS
        work = partial(provision.migrate, job, addresses, layout.processes)
        yield _task(job.name, _skippable(work, job, layout), database, CODE)


def _accounts(layout: Layout, addresses: Addresses) -> Iterator[Task]:
    for role, job in zip(ROLES, ACCOUNTS, strict=True):
        work = partial(provision.create_account, job, addresses, layout.processes, layout.account(role))
        yield _task(job.name, _skippable(work, job, layout), CUSTOMER.migrations)


def _skippable(work: Callable[[], str], job: Program, layout: Layout) -> Callable[[], str]:
    """Skip work that this code has done on these data before; never on the data of an external server."""
    (server,) = job.connects_to
    if not layout.is_local(server):
        return work
    return partial(provision.skip_if_code_is_unchanged, work, layout.home / server.name / f"done-{job.name}")


def _processes(layout: Layout, addresses: Addresses, run_file: RunFile) -> Iterator[Task]:
    for service in SYSTEM.services:
        for program in SYSTEM.processes(service):
            process = service_process(program, layout.ports, addresses, FOR_PEOPLE | os.environ)
            start = partial(_start_process, process, layout, run_file)
            yield Task(program.name, start, frozenset(_needed_by(program, service)))


def _needed_by(program: Program, service: Service) -> Iterator[str]:
    """Yield the steps that have to be done before a process starts."""
    yield service.migrations
    for server in program.connects_to:
        yield CREATE_TOPICS.name if server is KAFKA else server.name


def _start_process(process: ServiceProcess, layout: Layout, run_file: RunFile, progress: Progress) -> str:
    progress.report("starting, waiting until it is ready")
    child = start_until_ready(process, layout.processes)
    run_file.add_process(process.name, process.url, child.pid, child.log, metrics=process.metrics_url)
    # With the code that is there then.
    again = replace(process.command, fork=False)
    start, wait = partial(layout.processes.start, again), partial(wait_until_ready, process)
    layout.restarts[process.name] = Restart(start, wait)
    layout.ready.add(process.name)
    return process.url


def _task(name: str, work: Callable[[], str], *after: str) -> Task:
    def report_and_work(progress: Progress) -> str:
        progress.report("working")
        return work()

    return Task(name, report_and_work, frozenset(after))
