"""Containers: they wait for what can happen, find each other, are looked after, and are reached from here alone."""

import importlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter

from chassis.runtime.health import health_endpoints
from tests.compose.deployment import Deployment, module_of
from tests.compose.spoiling import Spoiled, drop, put

HEALTH = "from urllib.request import urlopen; urlopen('http://127.0.0.1:%s')"


def containers_are_looked_after(deployment: Deployment) -> list[str]:
    wrong = [f"{name}: no mem_limit" for name, service in deployment.services.items() if "mem_limit" not in service]
    for name, service in deployment.services.items():
        if service["restart"] != "no":
            wanted = {"healthcheck", "stop_grace_period"} - set(service)
            wrong += [f"{name}: no {key}" for key in sorted(wanted)]
        if name not in deployment.ours and not re.search(r":v?\d", service["image"]):
            wrong.append(f"{name}: {service['image']} names no version")
    return wrong


def dependencies_can_be_met(deployment: Deployment) -> list[str]:
    services, wrong = deployment.services, []
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            target = services.get(other, {})
            met = {
                "service_healthy": "healthcheck" in target,
                "service_completed_successfully": target.get("restart") == "no",
            }
            if not met.get(how["condition"]):
                wrong.append(f"{name}: {other} can never be {how['condition']}")
    # `up --wait` takes a container that has ended for a failure, unless another one waits for its end.
    awaited = {other for service in deployment.processes.values() for other in service["depends_on"]}
    jobs = {name for name in set(deployment.ours) - set(deployment.processes) if "profiles" not in services[name]}
    return wrong + [f"no process waits for {name}" for name in jobs - awaited]


def healthchecks_ask_a_route(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.processes.items():
        found = re.search(r"http://127\.0\.0\.1:(\d+)(/[\w/]+)'", str(service["healthcheck"]["test"]))
        if not found or found[1] != service["environment"]["PORT"] or found[2] not in _routes(service):
            wrong.append(f"{name}: asks {found and found[0]}")
    return wrong


def ports_fit(deployment: Deployment) -> list[str]:
    wrong, taken = [], []
    for name, service in deployment.services.items():
        for address, host, inside in (mapping.rsplit(":", 2) for mapping in service.get("ports", [])):
            taken.append(host)
            if address != "127.0.0.1":
                wrong.append(f"{name}: published on {address}")
            if name in deployment.ours and inside != service["environment"]["PORT"]:
                wrong.append(f"{name}: publishes {inside}, listens on {service['environment']['PORT']}")
    expected = [*range(8001, 8005), 8025]
    return wrong + ([] if sorted(taken) == list(map(str, expected)) else [f"published: {sorted(taken)}"])


def urls_lead_somewhere(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.ours.items():
        for key, value in service.get("environment", {}).items():
            url = urlsplit(value if "//" in (value or "") else f"//{value}")
            # People follow the links to the shop, from outside; no container does.
            if key == "SHOP_URL" or not key.endswith(("_URL", "_SERVERS")):
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
    """The paths that a process answers: health in all of them, and its API in a REST front."""
    router = getattr(importlib.import_module(module_of(service)), "router", APIRouter())
    return {*health_endpoints("x", {}), *(getattr(route, "path", "") for route in router.routes)}


SPOILED: Spoiled = {
    containers_are_looked_after: [
        drop("kafka/mem_limit"),
        drop("order-worker/healthcheck"),
        drop("postgres/stop_grace_period"),
        put("mongo/image", "mongo:latest"),
    ],
    dependencies_can_be_met: [
        put("order/depends_on/kafak", {"condition": "service_healthy"}),
        drop("mailpit/healthcheck"),
        drop("customer/depends_on/signing-key"),
        put("order/depends_on/customer", {"condition": "service_completed_successfully"}),
    ],
    healthchecks_ask_a_route: [
        put("order/healthcheck/test", ["CMD", "python", "-c", HEALTH % "8000/ready"]),
        put("order/healthcheck/test", ["CMD", "python", "-c", HEALTH % "80/health/ready"]),
    ],
    ports_fit: [
        put("order/ports", ["127.0.0.1:${ORDER_PORT:-8003}:8003"]),
        put("order/ports", ["127.0.0.1:${ORDER_PORT:-8002}:8000"]),
        put("order/ports", ["0.0.0.0:${ORDER_PORT:-8003}:8000"]),
    ],
    urls_lead_somewhere: [
        put("order/environment/PRODUCT_URL", "http://products:8000"),
        put("order/environment/PRODUCT_URL", "http://product:8002"),
        put("customer/environment/ORDER_URL", "http://order:8003"),
        put("order/environment/JWKS_URL", "http://customer:8000/jwks.json"),
        put("order-worker/environment/KAFKA_BOOTSTRAP_SERVERS", "broker:9092"),
    ],
}
