"""Storage: what is mounted exists, and every service on PostgreSQL has a database of its own."""

import re
from urllib.parse import urlsplit

from deploy.system import POSTGRES, SYSTEM
from tests.compose.corruptions import Corruptions, remove, replace_text, set_value
from tests.compose.deployment import ROOT, Deployment, mounts


def databases_are_created(deployment: Deployment) -> list[str]:
    created = dict(re.findall(r'^create (\w+) "\$(\w+)"$', deployment.databases, re.M))
    needed = {service.package for service in SYSTEM.services if service.database is POSTGRES}
    wrong = [f"{name}: not both created and in the system map" for name in created.keys() ^ needed]
    given = deployment.services["postgres"]["environment"]
    for name, service in deployment.programs.items():
        url = urlsplit(service.get("environment", {}).get("POSTGRES_URL", ""))
        if url.hostname != "postgres":
            continue
        if url.path != f"/{url.username}" or url.username not in created:
            wrong.append(f"{name}: no script creates the database {url.path} of {url.username}")
        elif not url.password or url.password != given.get(created[url.username]):
            wrong.append(f"{name}: {url.username} has another password")
    return wrong


def paths_exist(deployment: Deployment) -> list[str]:
    declared, used, paths = set(deployment.compose["volumes"]), set(), []
    for service in deployment.services.values():
        for source in mounts(service).values():
            paths.append(source) if source.startswith((".", "/")) else used.add(source)
        if build := service.get("build"):
            paths += [build["context"], f"{build['context']}/{build['dockerfile']}"]
    wrong = [f"no {path}" for path in paths if not (ROOT / path).exists()]
    return wrong + [f"volume {name}: not both declared and used" for name in declared ^ used]


CORRUPTIONS: Corruptions = {
    databases_are_created: [
        replace_text("databases", "create order_svc", "create orders"),
        replace_text("databases", '_svc "$ORDER_DB', '_svc "$NOTIFIER_DB'),
        set_value("order/environment/POSTGRES_URL", "postgresql://order_svc:x@postgres/customer_svc"),
        remove("postgres/environment/CUSTOMER_DB_PASSWORD"),
    ],
    paths_exist: [
        set_value("topics/build/dockerfile", "Dockerfile"),
        set_value("postgres/volumes", ["./deploy/compose/init.sql:/x:ro"]),
        set_value("mongo/volumes", ["documents:/data/db"]),
    ],
}
