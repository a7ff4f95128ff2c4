"""The processes of the services in a local run: how each is started, and when it is ready."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.addresses import Addresses, environment
from deploy.local.ports import LOOPBACK
from deploy.local.probes import http_problem
from deploy.local.processes import Child, Command, Processes
from deploy.local.server import wait_until_ok
from deploy.resources import Program
from deploy.system import SYSTEM

READY_SECONDS = 120
LOCAL = {"HOST": LOOPBACK, "METRICS_HOST": LOOPBACK, "SHOP_ENV": "development"}
"""Settings of every process in a local run, whatever the environment says."""


@dataclass(frozen=True)
class ServiceProcess:
    """A REST front or an event process, and where it listens."""

    name: str
    """``order`` or ``order-worker``."""
    url: str
    metrics_url: str
    command: Command


def service_process(
    program: Program, ports: Mapping[str, int], addresses: Addresses, provided: Mapping[str, str] | None = None
) -> ServiceProcess:
    """Return a process of the system map that listens on its part of these ports."""
    chosen = {setting: str(ports[name]) for setting, name in program.listens_on.items()}
    env = environment(program, addresses, provided or {}) | LOCAL | chosen
    # Where the usual ports are taken, the REST fronts have others.
    env["PUBLIC_URLS"] = env["PUBLIC_URLS"] or _public_urls(addresses)
    command = Command(program.name, [sys.executable, "-m", program.module], env, fork=True)
    metrics = f"http://{LOOPBACK}:{chosen.get('METRICS_PORT', chosen['PORT'])}/metrics"
    return ServiceProcess(program.name, f"http://{LOOPBACK}:{chosen['PORT']}", metrics, command)


def _public_urls(addresses: Addresses) -> str:
    return json.dumps({service.package: addresses.public[service.name] for service in SYSTEM.services})


def start_until_ready(process: ServiceProcess, processes: Processes) -> Child:
    """Start a process, and return it when it reports that it is ready."""
    child = processes.start(process.command)
    wait_until_ready(process, child)
    return child


def wait_until_ready(process: ServiceProcess, child: Child) -> None:
    """Wait until a process that was started reports that it is ready; raise ``StartFailed`` if it does not."""
    wait_until_ok(child, lambda: http_problem(f"{process.url}/health/ready"), READY_SECONDS, pause=0.2)
