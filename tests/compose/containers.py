"""Containers: limited, monitored, reachable from this machine only; what they wait for and connect to exists."""

import importlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter

from chassis.runtime.health import health_endpoints
from deploy.resources import PublicUrl
from deploy.system import MAIL, SYSTEM
from tests.compose.corruptions import Corruptions, remove, replace_text, set_value
from tests.compose.deployment import Deployment, module_of, mounts
from tests.compose.image import image_files

PUBLIC_URLS = {
    name
    for program in SYSTEM.all_processes
    for name, source in program.settings.items()
    if isinstance(source, PublicUrl)
}
"""Browsers open these, from outside; no container does."""

GIVES_RIGHTS = ("privileged", "cap_add", "devices", "pid", "ipc", "userns_mode", "group_add")
ROOT_UNLESS_SAID = ("postgres", "mongo", "gateway")
"""Images that start as root to give the data to their user; Mailpit's has no other user. (Ours: see image.py.)"""

NOTHING_TO_CHECK_HEALTH_WITH = ("collector",)
"""Images with a single program, which cannot do it. Prometheus scrapes it, so that it is missed all the same."""

SHOP_PORT = 8000
"""Where clients reach the gateway."""
HEALTH = ["CMD", "bash", "/app/deploy/health.sh"]
CHEAP = ("bash", "pg_isready", "/mailpit", "wget")


def containers_are_limited_and_monitored(deployment: Deployment) -> list[str]:
    wrong = [f"{name}: no mem_limit" for name, service in deployment.services.items() if "mem_limit" not in service]
    for name, service in deployment.services.items():
        if service["restart"] != "no":
            checked = set() if name in NOTHING_TO_CHECK_HEALTH_WITH else {"healthcheck"}
            missing = {"stop_grace_period", *checked} - set(service)
            wrong += [f"{name}: no {key}" for key in sorted(missing)]
        if name not in deployment.programs and not re.search(r":v?\d", service["image"]):
            wrong.append(f"{name}: {service['image']} names no version")
    return wrong


def containers_have_no_rights_to_spare(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.services.items():
        expected = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"]}
        wrong += [f"{name}: {key} is not {value}" for key, value in expected.items() if service.get(key) != value]
        wrong += [f"{name}: no {key}" for key in ("pids_limit", "cpus", "mem_limit") if not service.get(key)]
        wrong += [f"{name}: {key}" for key in GIVES_RIGHTS if service.get(key)]
        wrong += [f"{name}: mounts {source}" for source in mounts(service).values() if source.startswith("/")]
        if name in ROOT_UNLESS_SAID and not service.get("user"):
            wrong.append(f"{name}: its image runs as root")
    return wrong


def dependencies_can_be_fulfilled(deployment: Deployment) -> list[str]:
    services, wrong = deployment.services, []
    for name, service in services.items():
        for other, dependency in service.get("depends_on", {}).items():
            target = services.get(other, {})
            possible = {
                "service_started": bool(target),
                "service_healthy": "healthcheck" in target,
                "service_completed_successfully": target.get("restart") == "no",
            }
            if not possible.get(dependency["condition"]):
                wrong.append(f"{name}: {other} can never be {dependency['condition']}")
    # `up --wait` treats the end of a container as a failure, unless another container waits for it.
    awaited = {other for service in deployment.processes.values() for other in service["depends_on"]}
    jobs = {name for name in set(deployment.programs) - set(deployment.processes) if "profiles" not in services[name]}
    return wrong + [f"no process waits for {name}" for name in jobs - awaited]


def healthchecks_call_an_existing_route(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.processes.items():
        *program, port, path = service["healthcheck"]["test"]
        if program != HEALTH or port != service["environment"]["PORT"] or path not in _routes(service):
            wrong.append(f"{name}: calls {port}{path}")
    return wrong


def healthchecks_cost_little(deployment: Deployment) -> list[str]:
    """None starts a virtual machine, Node.js or Python: they would take a second of a processor, each time."""
    return [
        f"{name}: {service['healthcheck']['test']}"
        for name, service in deployment.services.items()
        if service.get("healthcheck", {}).get("test", ["", "bash"])[1] not in CHEAP
    ]


def processes_are_not_started_again_with_wrong_settings(deployment: Deployment) -> list[str]:
    started = {str(target) for source, target in image_files(deployment).items() if source.name == "process.sh"}
    return [
        f"{name}: is started by {service.get('entrypoint')}"
        for name, service in deployment.processes.items()
        if service.get("entrypoint") != ["sh", *started]
    ]


def ports_are_as_in_the_system_map(deployment: Deployment) -> list[str]:
    wrong, published = [], []
    for name, service in deployment.services.items():
        for address, host, inside in (mapping.rsplit(":", 2) for mapping in service.get("ports", [])):
            published.append(host)
            if address != "127.0.0.1":
                wrong.append(f"{name}: published on {address}")
            if name in deployment.programs:
                wrong.append(f"{name}: published, and not reached through the gateway alone")
            if name == "gateway" and f"listen {inside};" not in deployment.gateway:
                wrong.append(f"{name}: publishes {inside}, where it does not listen")
    pages = [port.preferred for port in MAIL.ports if port.preferred]
    # Prometheus, Grafana and Jaeger are no part of the platform.
    pages += [9090, 3000, 16686, SHOP_PORT]
    expected = sorted(map(str, [*(service.rest_front.port for service in SYSTEM.services), *pages]))
    return wrong + ([] if sorted(published) == expected else [f"published: {sorted(published)}"])


def metrics_are_for_other_containers_only(deployment: Deployment) -> list[str]:
    wrong = []
    for service in SYSTEM.services:
        front = deployment.services[service.name]["environment"]
        if front.get("METRICS_HOST") != "0.0.0.0" or front.get("METRICS_PORT") in (None, front["PORT"]):
            wrong.append(f"{service.name}: no port for its metrics that other containers reach")
    return wrong


def urls_lead_to_a_container(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.programs.items():
        for key, value in service.get("environment", {}).items():
            url = urlsplit(value or "")
            if key in PUBLIC_URLS or not key.endswith("_URL"):
                continue
            target = deployment.services.get(url.hostname or "")
            if target is None:
                wrong.append(f"{name}: {key}: no container {url.hostname}")
            elif url.scheme == "http" and (
                str(url.port) != target["environment"]["PORT"] or (url.path and url.path not in _routes(target))
            ):
                wrong.append(f"{name}: {key}: {url.hostname} has no {url.port}{url.path}")
    return wrong


def _routes(service: Mapping[str, Any]) -> set[str]:
    """The paths that a process serves: health in all of them, and its API in a REST front."""
    router = getattr(importlib.import_module(module_of(service)), "router", APIRouter())
    return {*health_endpoints("x", {}), *(getattr(route, "path", "") for route in router.routes)}


CORRUPTIONS: Corruptions = {
    containers_are_limited_and_monitored: [
        remove("kafka/mem_limit"),
        remove("order-worker/healthcheck"),
        remove("postgres/stop_grace_period"),
        set_value("mongo/image", "mongo:latest"),
    ],
    containers_have_no_rights_to_spare: [
        remove("kafka/cap_drop"),
        remove("mongo/user"),
        remove("mailpit/pids_limit"),
        set_value("postgres/read_only", False),
        set_value("order/cap_add", ["NET_ADMIN"]),
        set_value("order/volumes", ["/var/run/docker.sock:/var/run/docker.sock"]),
        remove("order-migrations/cpus"),
    ],
    dependencies_can_be_fulfilled: [
        set_value("order/depends_on/kafak", {"condition": "service_healthy"}),
        remove("mailpit/healthcheck"),
        remove("customer/depends_on/signing-key"),
        set_value("order/depends_on/customer", {"condition": "service_completed_successfully"}),
    ],
    healthchecks_call_an_existing_route: [
        set_value("order/healthcheck/test", [*HEALTH, "8000", "/ready"]),
        set_value("order/healthcheck/test", [*HEALTH, "80", "/health/ready"]),
    ],
    healthchecks_cost_little: [
        set_value("order/healthcheck/test", ["CMD", "python", "-c", "…"]),
        set_value("mongo/healthcheck/test", ["CMD", "mongosh", "/health.js"]),
    ],
    processes_are_not_started_again_with_wrong_settings: [
        remove("order-worker/entrypoint"),
        replace_text("dockerfile", "deploy/container/process.sh ", ""),
    ],
    ports_are_as_in_the_system_map: [
        set_value("gateway/ports", ["127.0.0.1:${SHOP_PORT:-8000}:8000"]),
        set_value("mailpit/ports", ["0.0.0.0:${MAIL_PORT:-8025}:8025"]),
        set_value("order/ports", ["127.0.0.1:${ORDER_PORT:-8003}:8000"]),
        replace_text("gateway", "listen 8003;", "listen 9003;"),
    ],
    metrics_are_for_other_containers_only: [
        set_value("order/environment/METRICS_HOST", "127.0.0.1"),
        set_value("order/environment/METRICS_PORT", "8000"),
    ],
    urls_lead_to_a_container: [
        set_value("order/environment/PRODUCT_URL", "http://products:8000"),
        set_value("order/environment/PRODUCT_URL", "http://product:8002"),
        set_value("customer/environment/ORDER_URL", "http://order:8003"),
        set_value("order/environment/JWKS_URL", "http://customer:8000/jwks.json"),
    ],
}
