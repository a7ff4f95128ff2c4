"""``compose.yaml`` and the files around it, parsed."""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

from chassis.messaging.brokers import Brokers
from deploy.system import KAFKA

ROOT = Path(__file__).parents[2]
IMAGE = "shopstream"
MOUNTED = "/run/secrets/"
"""Where Compose puts the secrets of a container."""
STDIN = "/dev/stdin"
"""The file of a secret that the caller gives on standard input."""


@dataclass
class Deployment:
    """The files: ``compose`` is not interpolated yet."""

    compose: dict[str, Any]
    env: dict[str, str]
    """What env.example sets."""
    defaults: dict[str, str]
    """What env.example shows in comments."""
    dockerfile: str
    dockerignore: str
    databases: str
    """The script that creates the PostgreSQL databases."""
    mongo_users: str
    """The script that creates the users of MongoDB."""
    kafka: str
    """The script that starts Kafka."""
    gateway: str
    """The settings of the gateway."""
    volumes: str
    """The script that says what is backed up."""
    secrets: dict[str, str]
    """By file name: what the script that makes the secrets has written."""
    signing_key: Path
    """A key as the job generates it."""

    @cached_property
    def inspected(self) -> dict[str, Any]:
        """The containers as the engine shows them: interpolated."""
        return {name: interpolated(service, self.env) for name, service in self.compose["services"].items()}

    @cached_property
    def services(self) -> dict[str, Any]:
        """The containers as their programs see them: with the secrets that they read from files."""
        return {
            name: {**service, "environment": self._read(service)} if "environment" in service else service
            for name, service in self.inspected.items()
        }

    def _read(self, service: Mapping[str, Any]) -> dict[str, str | None]:
        given: dict[str, str | None] = {}
        for name, value in service["environment"].items():
            secret = str(value).removeprefix(MOUNTED)
            if value == STDIN:
                given[name.removesuffix("_FILE")] = None
            elif secret != value and secret in service.get("secrets", []):
                given[name.removesuffix("_FILE")] = self.secrets.get(secret, "")
            else:
                given[name] = value
        password = given.pop("KAFKA_PASSWORD", None)
        if password and KAFKA.setting in given:
            brokers = Brokers.parse(str(given[KAFKA.setting]))
            given[KAFKA.setting] = str(replace(brokers, password=password))
        return given

    @cached_property
    def programs(self) -> dict[str, Any]:
        """The containers that run our image."""
        return {name: service for name, service in self.services.items() if service["image"] == IMAGE}

    @cached_property
    def processes(self) -> dict[str, Any]:
        """Those of our programs that stay."""
        return {name: service for name, service in self.programs.items() if service["restart"] != "no"}


def read_deployment(signing_key: Path) -> Deployment:
    """Read the files of this repository."""
    example = (ROOT / "deploy/compose/env.example").read_text()
    return Deployment(
        compose=json.loads(compose_file()),
        env=dict(re.findall(r"^([A-Z_]+)=(.*)$", example, re.M)),
        defaults=dict(re.findall(r"^#([A-Z_]+)=(.*)$", example, re.M)),
        dockerfile=(ROOT / "deploy/Dockerfile").read_text(),
        dockerignore=(ROOT / ".dockerignore").read_text(),
        databases=(ROOT / "deploy/compose/postgres-init.sh").read_text(),
        mongo_users=(ROOT / "deploy/compose/mongo-users.js").read_text(),
        kafka=(ROOT / "deploy/compose/kafka.sh").read_text(),
        gateway=(ROOT / "deploy/compose/gateway.conf").read_text(),
        volumes=(ROOT / "deploy/compose/volumes.sh").read_text(),
        secrets=dict(new_secrets()),
        signing_key=signing_key,
    )


@cache
def new_secrets() -> Mapping[str, str]:
    """Those of an installation that has none yet."""
    with tempfile.TemporaryDirectory() as directory:
        return make_secrets(Path(directory))


def make_secrets(installation: Path) -> dict[str, str]:
    """Make the secrets of an installation, which may have a .env; return them by the names of their files."""
    subprocess.run(["sh", str(ROOT / "deploy" / "compose" / "secrets.sh")], cwd=installation, check=True)
    return {path.name: path.read_text().strip() for path in (installation / ".secrets").iterdir()}


@cache
def compose_file() -> str:
    """compose.yaml as JSON: fast to parse again, and without the objects that YAML shares behind anchors."""
    return json.dumps(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def interpolated(value: Any, env: Mapping[str, str]) -> Any:
    """Replace ``${…}`` in all strings, as Compose does."""
    if isinstance(value, dict):
        return {key: interpolated(item, env) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolated(item, env) for item in value]
    return expand(value, env) if isinstance(value, str) else value


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` in a text, from the inside out."""
    while found := re.search(r"\$\{(\w+)(?::([-?])([^${}]*))?\}", text):
        name, kind, rest = found.groups()
        value = env.get(name) or (rest if kind == "-" else "")
        text = text[: found.start()] + value + text[found.end() :]
    return text


def variables(value: Any) -> dict[str, set[str]]:
    """The defaults given for each variable in the strings of ``value``; nested variables are shown as ``…``."""
    used: dict[str, set[str]] = {}
    text = json.dumps(value, ensure_ascii=False)
    while found := re.search(r"\$\{(\w+)(?::([-?])([^${}]*))?\}", text):
        name, kind, default = found.groups()
        used.setdefault(name, set()).update([default] if kind == "-" else [])
        text = text[: found.start()] + "…" + text[found.end() :]
    return used


def module_of(service: Mapping[str, Any]) -> str:
    """The module that ``python -m MODULE …`` runs."""
    python, option, module, *_ = service["command"]
    assert (python, option) == ("python", "-m")
    return str(module)


def mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """Source by target of the volumes of a container that have a name or a path."""
    parts = [volume.split(":") for volume in service.get("volumes", []) if ":" in volume]
    return {target: source for source, target, *_ in parts}


def waits_for(deployment: Deployment, name: str) -> set[str]:
    """The containers that have to be ready or done before this one starts, directly or not."""
    direct = set(deployment.services[name].get("depends_on", {})) & set(deployment.services)
    return direct.union(*(waits_for(deployment, other) for other in direct))
