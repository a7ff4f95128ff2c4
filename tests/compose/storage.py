"""Storage: what is mounted exists, and every service has its own database."""

import re
from urllib.parse import urlsplit

from tests.compose.deployment import ROOT, Deployment, mounts
from tests.compose.spoiling import Spoiled, drop, put, swap


def databases_are_made(deployment: Deployment) -> list[str]:
    made = dict(re.findall(r'^create (\w+) "\$(\w+)"$', deployment.databases, re.M))
    given, wrong = deployment.services["postgres"]["environment"], []
    for name, service in deployment.ours.items():
        url = urlsplit(service.get("environment", {}).get("POSTGRES_URL", ""))
        if url.hostname != "postgres":
            continue
        if url.path != f"/{url.username}" or url.username not in made:
            wrong.append(f"{name}: nobody makes the database {url.path} of {url.username}")
        elif not url.password or url.password != given.get(made[url.username]):
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


SPOILED: Spoiled = {
    databases_are_made: [
        swap("databases", "create order_svc", "create orders"),
        swap("databases", '_svc "$ORDER_DB', '_svc "$NOTIFIER_DB'),
        put("order/environment/POSTGRES_URL", "postgresql://order_svc:x@postgres/customer_svc"),
        drop("postgres/environment/CUSTOMER_DB_PASSWORD"),
    ],
    paths_exist: [
        put("topics/build/dockerfile", "Dockerfile"),
        put("postgres/volumes", ["./deploy/compose/init.sql:/x:ro"]),
        put("mongo/volumes", ["documents:/data/db"]),
    ],
}
