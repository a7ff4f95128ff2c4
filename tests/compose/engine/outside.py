"""What clients and onlookers see of the shop: the gateway, and what the engine shows of the containers."""

import json
import re
import time
from collections.abc import Iterator

import httpx

from tests.compose.engine.project import Project, wait_for
from tests.contracts.guards import GUARDS


def gateway_leads_where_it_should(project: Project) -> Iterator[str]:
    """A request without a token: what is for clients is answered as by the service, what is for ops is not there."""
    with httpx.Client(timeout=10, trust_env=False) as client:
        for service, guards in GUARDS.items():
            for route, guard in guards.items():
                method, _, pattern = route.partition(" ")
                path = re.sub(r"\{\w+\}", "csv", pattern)
                if guard.who == "ops" or path.startswith("/health/"):
                    answer = client.request(method, project.shop + path)
                    if _outcome(answer) != (404, "not_found"):
                        yield f"{route} is reachable: {_outcome(answer)}"
                elif "/stream" not in path:
                    direct = client.request(method, project.rest[service] + path)
                    answer = client.request(method, project.shop + path)
                    if _outcome(answer) != _outcome(direct):
                        yield f"{route}: {_outcome(answer)}, not {_outcome(direct)}"
        for path in ("/metrics", "/docs", "/v1/orders/../ops/summary", "/v1/orders/%2e%2e/ops/summary"):
            status = client.get(httpx.URL(project.shop + "/").copy_with(raw_path=path.encode())).status_code
            if status != 404:
                yield f"{path} is reachable: {status}"


def clients_are_known_by_their_address(project: Project) -> Iterator[str]:
    """What a client says of its own address is not believed: the log has that of its connection."""
    forged = "203.0.113.77"
    with httpx.Client(timeout=10, trust_env=False) as client:
        wrong = {"email": project.staff.email, "password": "this is not the password"}
        client.post(f"{project.shop}/v1/sessions", json=wrong, headers={"X-Forwarded-For": forged})
    logged = project.compose("logs", "--no-color", "--tail=200", "customer")
    if forged in logged:
        yield f"customer_svc believes that {forged} was its client"


def engine_shows_no_secret(project: Project) -> Iterator[str]:
    """Not in the settings of a container, and not in its log."""
    shown = {"docker inspect": json.dumps(project.containers()), "a log": project.compose("logs", "--no-color")}
    for where, text in shown.items():
        yield from (f"{where} has {name}" for name, value in project.secrets().items() if value in text)


def service_that_is_down_is_answered_for(project: Project) -> Iterator[str]:
    """The gateway answers with 503 while a service is stopped, and the others go on."""
    project.compose("stop", "product")
    with httpx.Client(timeout=15, trust_env=False) as client:
        down, up = client.get(f"{project.shop}/v1/products"), client.get(f"{project.shop}/v1/orders")
        if _outcome(down) != (503, "unavailable") or down.headers.get("retry-after") != "5":
            yield f"while product_svc is down: {_outcome(down)}"
        if up.status_code != 401:
            yield f"while product_svc is down, order_svc: {up.status_code}"
    project.up("product")


def wrong_settings_do_not_restart_a_process_for_ever(project: Project) -> Iterator[str]:
    """It says what is wrong, once, and its container is kept, unhealthy, until it gets other settings."""
    project.compose("up", "--detach", "--no-deps", "customer-worker", variables={"LOG_LEVEL": "LOUD"})
    refused = "not started again"
    wait_for(f"'{refused}' in its log", lambda: refused in project.compose("logs", "customer-worker"), 30)
    time.sleep(2)
    log, found = project.compose("logs", "customer-worker"), project.container("customer-worker")
    if "LOG_LEVEL" not in log or log.count(refused) != 1 or found["RestartCount"] or not found["State"]["Running"]:
        yield f"customer-worker was started {found['RestartCount'] + 1} times"
    project.up("customer-worker")


def _outcome(answer: httpx.Response) -> tuple[int, str]:
    """The status, and the code of a problem."""
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.status_code, str(answer.json()["code"]) if is_problem else ""


OUTSIDE = (gateway_leads_where_it_should, clients_are_known_by_their_address, engine_shows_no_secret)
DISTURBANCES = (service_that_is_down_is_answered_for, wrong_settings_do_not_restart_a_process_for_ever)
"""Nothing else can be tried at the same time."""
