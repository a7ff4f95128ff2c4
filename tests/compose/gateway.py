"""The gateway: clients reach what is for them, in the service that has it, and nothing that is for operators."""

import json
import re
from collections.abc import Iterator

from deploy.system import SYSTEM
from tests.compose.corruptions import Corruptions, replace_text, set_value
from tests.compose.deployment import Deployment
from tests.compose.system_map import GATEWAY
from tests.contracts.guards import GUARDS, PAGES

NOT_FOR_CLIENTS = (
    "/health/live",
    "/health/ready",
    "/metrics",
    "/docs",
    "/openapi.json",
    "/v1/ops",
    "/v1",
    "/v2/orders",
)
PRIVATE = "10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"
"""Where Docker has its networks."""
SETS = {
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$client_scheme",
    "X-Forwarded-Host": '""',
    "Forwarded": '""',
}


def clients_reach_what_is_for_them(deployment: Deployment) -> list[str]:
    return [
        f"{path} is that of {service}, and leads to {found or 'nowhere'}"
        for service, path in _for_clients()
        if (found := leads_to(deployment, path)) != service
    ]


def clients_reach_nothing_else(deployment: Deployment) -> list[str]:
    known = {path for _, path in _for_clients()}
    operators = {_example(route) for guards in GUARDS.values() for route, one in guards.items() if one.who == "ops"}
    return [
        f"{path} leads to {found}"
        for path in sorted({*NOT_FOR_CLIENTS, *operators} - known)
        if (found := leads_to(deployment, path))
    ]


def fronts_believe_the_gateway_alone(deployment: Deployment) -> list[str]:
    """It replaces what clients say of themselves, and nobody else passes requests on in the network of the fronts."""
    headers = dict(re.findall(r"proxy_set_header (\S+) (\S+);", deployment.gateway))
    wrong = [f"{name} is {headers.get(name)}" for name, value in SETS.items() if headers.get(name) != value]
    for service in SYSTEM.services:
        given = deployment.services[service.name]["environment"]
        if given.get("FORWARDED_ALLOW_IPS") != PRIVATE:
            wrong.append(f"{service.name} believes {given.get('FORWARDED_ALLOW_IPS')}")
        if set(json.loads(given.get("PUBLIC_URLS") or "{}").items()) != {
            (one.package, GATEWAY) for one in SYSTEM.services
        }:
            wrong.append(f"{service.name}: clients would be sent elsewhere")
    members = {name for name, one in deployment.services.items() if "apis" in one.get("networks", [])}
    fronts = {one.name for one in SYSTEM.services}
    others = {"gateway", "audit", "prometheus", "collector"}
    return wrong + [f"{name} is among the fronts" for name in members - fronts - others]


def leads_to(deployment: Deployment, path: str) -> str:
    """The service to which the gateway passes a path on; empty if to none."""
    found = re.search(r"map \$uri \$service \{(.*?)\n    \}", deployment.gateway, re.S)
    assert found
    for pattern, service in re.findall(r'"~(.+)" (\w+);', found[1]):
        if re.search(pattern, path):
            return str(service)
    return ""


def _for_clients() -> Iterator[tuple[str, str]]:
    for service, guards in GUARDS.items():
        for route, guard in guards.items():
            if guard.who != "ops" and "/health/" not in route:
                yield service, _example(route)
    for service, pages in PAGES.items():
        yield from ((service, page) for page in pages)


def _example(route: str) -> str:
    return re.sub(r"\{\w+\}", "csv", route.rpartition(" ")[2])


CORRUPTIONS: Corruptions = {
    clients_reach_what_is_for_them: [
        replace_text("gateway", "|totp|", "|"),
        replace_text("gateway", "|stock|imports)([/.]|$)", "|stock|imports)(/|$)"),
        replace_text("gateway", '|suppressions)(/|$)" notifier', '|suppressions)(/|$)" order'),
    ],
    clients_reach_nothing_else: [
        replace_text("gateway", "~^/v1/(orders|", "~^/v1/(orders|sagas|"),
        replace_text("gateway", "(customers|sessions|totp", "(customers|staff-accounts|sessions|totp"),
        replace_text("gateway", 'unsubscribe|order)?$"', 'unsubscribe|order)?"'),
    ],
    fronts_believe_the_gateway_alone: [
        replace_text("gateway", "X-Forwarded-For $remote_addr", "X-Forwarded-For $proxy_add_x_forwarded_for"),
        set_value("order/environment/FORWARDED_ALLOW_IPS", "0.0.0.0/0"),
        set_value("customer/environment/PUBLIC_URLS", ""),
        set_value("mailpit/networks", ["mail", "apis"]),
    ],
}
