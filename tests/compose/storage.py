"""Storage: what is mounted exists, and every service has a database, a user and a principal of its own."""

import json
import re
from urllib.parse import urlsplit

from chassis.messaging.brokers import Brokers
from deploy.access import principals
from deploy.local.kafka import ADMIN
from deploy.local.mongo import OWNER_ROLES
from deploy.system import KAFKA, MONGO, POSTGRES, SYSTEM
from tests.compose.corruptions import Corruptions, remove, replace_text, set_value
from tests.compose.deployment import ROOT, Deployment, mounts

MONGO_USER = re.compile(
    r'getSiblingDB\("(\w+)"\)\.createUser\(\{\s+user: "(\w+)",\s+pwd: process\.env\.(\w+),\s+roles: (\[.*?\])'
)
KAFKA_USER = re.compile(r'\$\(user (\w+) "\$(\w+)"\)')


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


def mongo_has_owners_and_asks_for_passwords(deployment: Deployment) -> list[str]:
    server, created = deployment.services["mongo"], MONGO_USER.findall(deployment.mongo_users)
    needed = {service.package for service in SYSTEM.services if service.database is MONGO}
    wrong = [f"{name}: not both created and in the system map" for name in {one[0] for one in created} ^ needed]
    wrong += [
        f"{database}: {user} is not its owner"
        for database, user, _, roles in created
        if user != database or json.loads(roles) != list(OWNER_ROLES)
    ]
    given = server["environment"]
    passwords = {user: given.get(variable) for _, user, variable, _ in created}
    for name, service in deployment.programs.items():
        url = urlsplit(service.get("environment", {}).get("MONGO_URL", ""))
        if url.hostname == "mongo" and (not url.password or url.password != passwords.get(str(url.username))):
            wrong.append(f"{name}: {url.username or 'nobody'} has another password")
    if not given.get("MONGO_INITDB_ROOT_PASSWORD") or "/start-mongo.sh" not in server.get("entrypoint", []):
        wrong.append("it asks for no password")
    return wrong


def kafka_has_a_principal_for_each_client(deployment: Deployment) -> list[str]:
    created = dict(KAFKA_USER.findall(deployment.kafka))
    given = deployment.services["kafka"]["environment"]
    wrong = [f"{name}: not both created and a principal" for name in created.keys() ^ {ADMIN, *principals(SYSTEM)}]
    stored = set(re.findall(r'--add-scram "\$(\w+)"', deployment.kafka))
    wrong += [f"{name} is not stored" for name in created if name.removesuffix("_svc") not in stored]
    for name, service in deployment.programs.items():
        brokers = Brokers.parse(service.get("environment", {}).get(KAFKA.setting, "elsewhere:1"))
        known = given.get(created.get(brokers.user, ""))
        if brokers.servers == "kafka:9092" and (not known or brokers.password != known):
            wrong.append(f"{name}: {brokers.user or 'nobody'} has another password")
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
    mongo_has_owners_and_asks_for_passwords: [
        replace_text("mongo_users", 'user: "product_svc"', 'user: "root"'),
        replace_text("mongo_users", '"dbAdmin"', '"root"'),
        replace_text("mongo_users", "PRODUCT_DB_PASSWORD", "MONGO_PASSWORD"),
        remove("mongo/environment/MONGO_INITDB_ROOT_PASSWORD"),
        set_value("mongo/entrypoint", ["docker-entrypoint.sh"]),
        set_value("product/environment/MONGO_URL", "mongodb://mongo:27017/product_svc?replicaSet=rs0"),
    ],
    kafka_has_a_principal_for_each_client: [
        replace_text("kafka", "user order_svc", "user orders"),
        replace_text("kafka", 'order_svc "$ORDER_', 'order_svc "$NOTIFIER_'),
        replace_text("kafka", ' --add-scram "$ops"', ""),
        remove("kafka/environment/OPS_KAFKA_PASSWORD"),
        set_value("order/environment/KAFKA_BOOTSTRAP_SERVERS", "kafka:9092"),
    ],
    paths_exist: [
        set_value("topics/build/dockerfile", "Dockerfile"),
        set_value("postgres/volumes", ["./deploy/compose/init.sql:/x:ro"]),
        set_value("mongo/volumes", ["documents:/data/db"]),
    ],
}
