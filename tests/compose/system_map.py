"""The system map: compose.yaml starts exactly the programs that deploy/system.py declares, set up as declared."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from deploy.addresses import Addresses, environment
from deploy.local.kafka import ADMIN
from deploy.resources import DatabaseUrl, FromCaller, Program
from deploy.system import BOOTSTRAP, CREATE_TOPICS, KAFKA, LINK_KEY, MAIL, MONGO, POSTGRES, SIGNING_KEY, SYSTEM
from tests.compose.corruptions import Corruptions, remove, set_value
from tests.compose.deployment import Deployment, module_of, waits_for

CONTAINERS = {KAFKA: "kafka", POSTGRES: "postgres", MONGO: "mongo", MAIL: "mailpit"}
CHOSEN_BY_COMPOSE = {"HOST", "PORT", "METRICS_HOST", "METRICS_PORT"}
GATEWAY = "http://127.0.0.1:8000"
BEHIND_THE_GATEWAY = {"FORWARDED_ALLOW_IPS", "PUBLIC_URLS"}
"""Defaults of the system map that are others behind the gateway; tests/compose/gateway.py checks them."""
PROGRAMS = (*SYSTEM.all_processes, *SYSTEM.jobs)


def programs_are_started(deployment: Deployment) -> list[str]:
    declared = {program.name: program for program in PROGRAMS}
    wrong = [f"{name}: no container runs it" for name in declared if name not in deployment.programs]
    for name, container in deployment.programs.items():
        if name in declared and module_of(container) != declared[name].module:
            wrong.append(f"{name}: runs {module_of(container)}, not {declared[name].module}")
        if (
            name in declared
            and container["command"][-1:] != [*declared[name].arguments][-1:]
            and declared[name].arguments
        ):
            wrong.append(f"{name}: its command does not end with {declared[name].arguments}")
    return wrong + [f"{name}: is not in the system map" for name in set(deployment.processes) - set(declared)]


def programs_get_their_settings(deployment: Deployment) -> list[str]:
    addresses = _addresses(deployment)
    return [
        f"{program.name}: {problem}"
        for program in PROGRAMS
        for problem in _differences(
            program, addresses, deployment.programs.get(program.name, {}).get("environment", {})
        )
    ]


def _differences(program: Program, addresses: Addresses, given: Mapping[str, str | None]) -> Iterator[str]:
    from_caller = {name for name, source in program.settings.items() if isinstance(source, FromCaller)}
    declared = environment(program, addresses, dict.fromkeys(from_caller, ""))
    for name in (declared.keys() | given.keys()) - CHOSEN_BY_COMPOSE - BEHIND_THE_GATEWAY:
        if (name in declared) != (name in given):
            yield f"{name} is given, but not declared" if name in given else f"{name} is declared, but not given"
        elif name in from_caller:
            if given[name] is not None:
                yield f"{name} has a value here, and should come from the caller"
        elif _comparable(program, name, str(given[name])) != declared[name]:
            yield f"{name} is {given[name]}, and should be {declared[name]}"


def _comparable(program: Program, name: str, value: str) -> str:
    """The value without the credentials of a database, which tests/compose/storage.py checks."""
    if not isinstance(program.settings[name], DatabaseUrl):
        return value
    url = urlsplit(value)
    return url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()


def _addresses(deployment: Deployment) -> Addresses:
    names = [service.name for service in SYSTEM.services]
    return Addresses(
        servers={
            KAFKA.name: f"SASL_PLAINTEXT://{ADMIN}:{deployment.secrets['kafka-password']}@kafka:9092",
            POSTGRES.name: "postgresql://postgres:5432/postgres",
            MONGO.name: "mongodb://mongo:27017/?replicaSet=rs0",
            MAIL.name: "smtp://mailpit:1025",
        },
        rest={name: f"http://{name}:8000" for name in names},
        # The gateway, for all of them.
        public=dict.fromkeys(names, GATEWAY),
        secrets={SIGNING_KEY.name: f"/keys/{SIGNING_KEY.name}", LINK_KEY.name: deployment.secrets["link-key"]},
        passwords={f"{KAFKA.name}-{name}_svc": deployment.secrets[f"{name}-kafka-password"] for name in names},
    )


def programs_wait_for_what_they_need(deployment: Deployment) -> list[str]:
    wrong = []
    for program, needed in _needed():
        missing = needed - waits_for(deployment, program.name)
        wrong += [f"{program.name} does not wait for {name}" for name in sorted(missing)]
    return wrong


def _needed() -> Iterator[tuple[Program, set[str]]]:
    for program in PROGRAMS:
        yield program, {CONTAINERS[server] for server in program.connects_to}
    for service in SYSTEM.services:
        for process in SYSTEM.processes(service):
            topics = {CREATE_TOPICS.name} if KAFKA in process.connects_to else set()
            yield process, {service.migrations, *topics}


CORRUPTIONS: Corruptions = {
    programs_are_started: [
        remove("order-worker"),
        set_value("order-worker/command", ["python", "-m", "order_svc.main"]),
        set_value("ops-account/command", ["python", "-m", BOOTSTRAP, "x@example.com", "--role", "staff"]),
    ],
    programs_get_their_settings: [
        remove("order/environment/PRODUCT_URL"),
        remove("customer/environment/NOTIFIER_URL"),
        set_value("order/environment/PRODUCT_URL", "http://customer:8000"),
        set_value("order/environment/LINK_KEY", "of no use to it"),
        set_value("order-worker/environment/POSTGRES_URL", "postgresql://order_svc:x@postgres:5432/customer_svc"),
        set_value("notifier-worker/environment/MAIL_FROM", "other@example.com"),
        set_value("staff-account/environment/BOOTSTRAP_PASSWORD", "the same everywhere"),
        set_value("order/secrets", ["order-postgres-url"]),
        set_value(
            "order/environment/KAFKA_BOOTSTRAP_SERVERS", "SASL_PLAINTEXT://ops:development-only-ops-events@kafka:9092"
        ),
        set_value("order-worker/environment/KAFKA_BOOTSTRAP_SERVERS", "kafka:9092"),
    ],
    programs_wait_for_what_they_need: [
        set_value("notifier-worker/depends_on", {"topics": {}, "notifier-migrations": {}}),
        set_value("order-worker/depends_on", {"order-migrations": {}}),
        set_value("order/depends_on", {"topics": {}}),
        remove("product-migrations/depends_on"),
    ],
}
