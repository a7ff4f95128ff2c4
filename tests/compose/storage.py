"""Storage: what is mounted exists, and every service has a database, a user and a principal of its own."""

import json
import re
from urllib.parse import urlsplit

from chassis.messaging.brokers import Brokers
from deploy.access import principals
from deploy.local.kafka import ADMIN
from deploy.local.mongo import OWNER_ROLES
from deploy.system import KAFKA, MONGO, POSTGRES, SYSTEM
from tests.compose.corruptions import Corruptions, remove, replace_text, set_example, set_value
from tests.compose.deployment import ROOT, Deployment, mounts

MONGO_USER = re.compile(
    r'getSiblingDB\("(\w+)"\)\.createUser\(\{\s+user: "(\w+)",\s+pwd: .*"/run/secrets/([\w-]+)".*,\s+roles: (\[.*?\])'
)
KAFKA_USER = re.compile(r"\$\(user (\w+) ([\w-]+)\)")
SECRET = re.compile(r"PASSWORD|SECRET(?!S$)|(?<!PUBLIC)_KEY$|TOKEN")
MADE_AGAIN = {"prometheus", "grafana"}
DIRECTORY = "${SECRETS:-./.secrets}"


def databases_are_created(deployment: Deployment) -> list[str]:
    created = dict(re.findall(r"^create (\w+) ([\w-]+)$", deployment.databases, re.M))
    needed = {service.package for service in SYSTEM.services if service.database is POSTGRES}
    wrong = [f"{name}: not both created and in the system map" for name in created.keys() ^ needed]
    given = _secrets_of(deployment, "postgres")
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
    given = _secrets_of(deployment, "mongo")
    passwords = {user: given.get(variable) for _, user, variable, _ in created}
    for name, service in deployment.programs.items():
        url = urlsplit(service.get("environment", {}).get("MONGO_URL", ""))
        if url.hostname == "mongo" and (not url.password or url.password != passwords.get(str(url.username))):
            wrong.append(f"{name}: {url.username or 'nobody'} has another password")
    if not server["environment"].get("MONGO_INITDB_ROOT_PASSWORD") or "/start-mongo.sh" not in server.get(
        "entrypoint", []
    ):
        wrong.append("it asks for no password")
    return wrong


def kafka_has_a_principal_for_each_client(deployment: Deployment) -> list[str]:
    created = dict(KAFKA_USER.findall(deployment.kafka))
    given = _secrets_of(deployment, "kafka")
    wrong = [f"{name}: not both created and a principal" for name in created.keys() ^ {ADMIN, *principals(SYSTEM)}]
    stored = set(re.findall(r'--add-scram "\$(\w+)"', deployment.kafka))
    wrong += [f"{name} is not stored" for name in created if name.removesuffix("_svc") not in stored]
    for name, service in deployment.programs.items():
        brokers = Brokers.parse(service.get("environment", {}).get(KAFKA.setting, "elsewhere:1"))
        known = given.get(created.get(brokers.user, ""))
        if brokers.servers == "kafka:9092" and (not known or brokers.password != known):
            wrong.append(f"{name}: {brokers.user or 'nobody'} has another password")
    return wrong


def _secrets_of(deployment: Deployment, server: str) -> dict[str, str]:
    """The secrets that a server is given, by the names of their files."""
    return {name: deployment.secrets[name] for name in deployment.services[server].get("secrets", [])}


def secrets_are_files(deployment: Deployment) -> list[str]:
    """Every secret is made by the script, given to those who read it, and nowhere else."""
    shown = json.dumps(deployment.inspected)
    wrong = [f"the engine shows {name}" for name, value in deployment.secrets.items() if value in shown]
    wrong += [f"{name} may be a secret" for name in set(deployment.env | deployment.defaults) if SECRET.search(name)]
    declared = deployment.compose["secrets"]
    wrong += [f"{name}: not both made and declared" for name in declared.keys() ^ deployment.secrets.keys()]
    wrong += [
        f"{name}: read from elsewhere" for name, one in declared.items() if one["file"] != f"{DIRECTORY}/{name}"
    ]
    scripts = {"postgres": deployment.databases, "mongo": deployment.mongo_users, "kafka": deployment.kafka}
    for name, service in deployment.inspected.items():
        text = json.dumps(service.get("environment", {}))
        read = set(re.findall(r"/run/secrets/([\w-]+)", text)) | {
            one for one in declared if re.search(rf"[/ ]{one}\b", scripts.get(name, ""))
        }
        wrong += [f"{name}: {one}: not both given and read" for one in read ^ set(service.get("secrets", []))]
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


def backups_have_every_volume(deployment: Deployment) -> list[str]:
    """Of what the shop has: what was measured and drawn is made again."""
    found = re.search(r'^VOLUMES="(.*)"$', deployment.volumes, re.M)
    copied = dict(one.split(":") for one in found[1].split()) if found else {}
    saved = {
        mounts(deployment.services[name]).get(path, "")
        for name, path in copied.items()
        if name in deployment.services
    }
    return [
        f"{name}: not both a volume and in backups"
        for name in saved ^ (set(deployment.compose["volumes"]) - MADE_AGAIN)
    ]


CORRUPTIONS: Corruptions = {
    backups_have_every_volume: [
        replace_text("volumes", " mailpit:/data", ""),
        replace_text("volumes", "mongo:/data/db", "mongo:/data"),
        set_value("kafka/volumes", ["events:/var/lib/kafka/data"]),
    ],
    databases_are_created: [
        replace_text("databases", "create order_svc", "create orders"),
        replace_text("databases", "_svc order-db", "_svc notifier-db"),
        set_value("order/environment/POSTGRES_URL", "postgresql://order_svc:x@postgres/customer_svc"),
        set_value("postgres/secrets", ["postgres-password", "order-db-password", "notifier-db-password"]),
    ],
    mongo_has_owners_and_asks_for_passwords: [
        replace_text("mongo_users", 'user: "product_svc"', 'user: "root"'),
        replace_text("mongo_users", '"dbAdmin"', '"root"'),
        replace_text("mongo_users", "product-db-password", "mongo-password"),
        remove("mongo/environment/MONGO_INITDB_ROOT_PASSWORD_FILE"),
        set_value("mongo/entrypoint", ["docker-entrypoint.sh"]),
        set_value("product/environment/MONGO_URL", "mongodb://mongo:27017/product_svc?replicaSet=rs0"),
    ],
    kafka_has_a_principal_for_each_client: [
        replace_text("kafka", "user order_svc", "user orders"),
        replace_text("kafka", "order_svc order-kafka", "order_svc notifier-kafka"),
        replace_text("kafka", ' --add-scram "$ops"', ""),
        set_value("audit/environment/KAFKA_PASSWORD_FILE", "/run/secrets/kafka-password"),
        set_value("order/environment/KAFKA_BOOTSTRAP_SERVERS", "kafka:9092"),
    ],
    secrets_are_files: [
        set_value("order/secrets", ["order-postgres-url"]),
        set_value("order/secrets", ["order-postgres-url", "order-kafka-password", "link-key"]),
        set_value("order/environment/POSTGRES_PASSWORD_FILE", "/run/secrets/postgres-password"),
        set_example("LINK_KEY", "development-only-key-of-links-in-mails"),
        replace_text("kafka", "ops ops-kafka-password", "ops kafka-password"),
    ],
    paths_exist: [
        set_value("topics/build/dockerfile", "Dockerfile"),
        set_value("postgres/volumes", ["./deploy/compose/init.sql:/x:ro"]),
        set_value("mongo/volumes", ["documents:/data/db"]),
    ],
}
