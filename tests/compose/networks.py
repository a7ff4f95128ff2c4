"""Networks: a container reaches what the system map says that it connects to, and nothing else that has data."""

from urllib.parse import urlsplit

from chassis.messaging.brokers import Brokers
from deploy.resources import DatabaseUrl, Program, RestUrl, ServerAddress, Service
from deploy.system import KAFKA, SYSTEM
from tests.compose.corruptions import Corruptions, remove, set_value
from tests.compose.deployment import Deployment
from tests.compose.system_map import CONTAINERS, PROGRAMS

FRONTS = {service.name: service for service in SYSTEM.services}
AUDIT = "audit"
"""Reads every REST API and all topics."""


def programs_reach_what_they_connect_to(deployment: Deployment) -> list[str]:
    return [
        f"{program.name} does not reach {target}"
        for program in PROGRAMS
        for target in sorted(_needed(program))
        if not _shared(deployment, program.name, target)
    ] + [
        f"{AUDIT} does not reach {target}" for target in ("kafka", *FRONTS) if not _shared(deployment, AUDIT, target)
    ]


def programs_reach_nothing_else(deployment: Deployment) -> list[str]:
    wrong = []
    for program in PROGRAMS:
        allowed = _needed(program) | _own(program)
        # A front that is called shares a network with those that call it, and so do they with each other.
        allowed |= set(FRONTS) if program.name in FRONTS else set()
        for target in {*CONTAINERS.values(), *FRONTS} - allowed:
            if _shared(deployment, program.name, target):
                wrong.append(f"{program.name} reaches {target}")
    return wrong


def networks_lead_nowhere_else(deployment: Deployment) -> list[str]:
    """Only containers that publish a port, or mail to the world, share a network that leads out of this machine."""
    published = {
        network
        for service in deployment.services.values()
        if service.get("ports")
        for network in service.get("networks", [])
    }
    wrong, used = [], {name for service in deployment.services.values() for name in service.get("networks", [])}
    for name, network in deployment.compose["networks"].items():
        inward = (network or {}).get("internal") == "${INTERNAL_NETWORKS:-true}"
        if not inward and not (name in published and name in ("front", "mail", "observability")):
            wrong.append(f"network {name} leads out")
    wrong += [f"network {name}: not both declared and used" for name in used ^ set(deployment.compose["networks"])]
    for name, service in deployment.services.items():
        if not service.get("networks") and service.get("network_mode") != "none":
            wrong.append(f"{name} is in the network of all")
    return wrong


def addresses_are_those_of_containers(deployment: Deployment) -> list[str]:
    """The hosts in the settings of a program are containers that it shares a network with."""
    wrong = []
    for name, service in deployment.programs.items():
        for key, value in service.get("environment", {}).items():
            if key == KAFKA.setting:
                hosts = [one.partition(":")[0] for one in Brokers.parse(value).servers.split(",")]
            elif key in ("POSTGRES_URL", "MONGO_URL", "SMTP_URL", "JWKS_URL", "PRODUCT_URL", "ORDER_URL"):
                hosts = [str(urlsplit(value).hostname)]
            else:
                continue
            # A front is given the address of Kafka, and does not connect to it.
            if not (key == KAFKA.setting and name in FRONTS):
                wrong += [f"{name}: {key}: no way to {host}" for host in hosts if not _shared(deployment, name, host)]
    return wrong


def _needed(program: Program) -> set[str]:
    """The containers that a program connects to, by the system map."""
    targets = {CONTAINERS[server] for server in program.connects_to}
    for source in program.settings.values():
        if isinstance(source, RestUrl):
            targets.add(source.service)
        if isinstance(source, DatabaseUrl | ServerAddress):
            targets.add(CONTAINERS[source.server])
    return targets


def _own(program: Program) -> set[str]:
    """The front of the program's own service: they share its database's network."""
    return {name for name, service in FRONTS.items() if _belongs(program, service)}


def _belongs(program: Program, service: Service) -> bool:
    return program.module.partition(".")[0] == service.package


def _shared(deployment: Deployment, one: str, other: str) -> set[str]:
    services = deployment.services
    if other not in services:
        return set()
    mine, theirs = services[one].get("networks", []), services[other].get("networks", [])
    return set(mine) & set(theirs)


CORRUPTIONS: Corruptions = {
    programs_reach_what_they_connect_to: [
        set_value("order-worker/networks", ["order-store"]),
        set_value("customer/networks", ["customer-store"]),
        set_value("notifier-worker/networks", ["events", "notifier-store"]),
        set_value("audit/networks", ["apis"]),
        set_value("mongo/networks", ["events"]),
    ],
    programs_reach_nothing_else: [
        set_value("notifier/networks", ["apis", "notifier-store", "product-store"]),
        set_value("order/networks", ["apis", "order-store", "events"]),
        set_value("customer-worker/networks", ["events", "customer-store", "apis"]),
        set_value("mongo/networks", ["product-store", "apis"]),
        set_value("order-migrations/networks", ["order-store", "mail"]),
    ],
    networks_lead_nowhere_else: [
        remove("order/networks"),
        set_value("kafka/networks", ["default"]),
        set_value("mailpit/networks", []),
    ],
    addresses_are_those_of_containers: [
        set_value("order-worker/environment/KAFKA_BOOTSTRAP_SERVERS", "SASL_PLAINTEXT://order_svc:x@broker:9092"),
        set_value("order/environment/POSTGRES_URL", "postgresql://order_svc:x@mongo:5432/order_svc"),
    ],
}
