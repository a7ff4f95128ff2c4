"""``compose.yaml`` and the files around it, as read."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
IMAGE = "shopstream"


@dataclass
class Deployment:
    """The files, as read: ``services`` is not interpolated yet."""

    compose: dict[str, Any]
    env: dict[str, str]
    """What env.example sets."""
    defaults: dict[str, str]
    """What env.example shows in comments."""
    dockerfile: str
    dockerignore: str
    databases: str
    """The script that makes the PostgreSQL databases."""
    signing_key: Path
    """A key as the job makes it."""

    @cached_property
    def services(self) -> dict[str, Any]:
        """The containers, interpolated."""
        return {name: interpolated(service, self.env) for name, service in self.compose["services"].items()}

    @cached_property
    def ours(self) -> dict[str, Any]:
        """The containers made of our image."""
        return {name: service for name, service in self.services.items() if service["image"] == IMAGE}

    @cached_property
    def processes(self) -> dict[str, Any]:
        """Those of ours that stay."""
        return {name: service for name, service in self.ours.items() if service["restart"] != "no"}


def read_deployment(signing_key: Path) -> Deployment:
    """The files as they are."""
    shown = (ROOT / "deploy/compose/env.example").read_text()
    return Deployment(
        compose=json.loads(compose_file()),
        env=dict(re.findall(r"^([A-Z_]+)=(.*)$", shown, re.M)),
        defaults=dict(re.findall(r"^#([A-Z_]+)=(.*)$", shown, re.M)),
        dockerfile=(ROOT / "deploy/Dockerfile").read_text(),
        dockerignore=(ROOT / ".dockerignore").read_text(),
        databases=(ROOT / "deploy/compose/postgres-init.sh").read_text(),
        signing_key=signing_key,
    )


@cache
def compose_file() -> str:
    """compose.yaml as JSON: quick to read again, and with no object shared, as YAML does behind an anchor."""
    return json.dumps(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def interpolated(value: Any, env: Mapping[str, str]) -> Any:
    """Replace ``${…}`` in all strings, as Compose does."""
    if isinstance(value, dict):
        return {key: interpolated(one, env) for key, one in value.items()}
    if isinstance(value, list):
        return [interpolated(one, env) for one in value]
    return expand(value, env) if isinstance(value, str) else value


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` in a text, from the inside out."""
    while found := re.search(r"\$\{(\w+)(?::([-?])([^${}]*))?\}", text):
        name, kind, rest = found.groups()
        value = env.get(name) or (rest if kind == "-" else "")
        text = text[: found.start()] + value + text[found.end() :]
    return text


def variables(value: Any) -> dict[str, set[str]]:
    """The defaults given for each variable in the strings of ``value``, other variables in them as ``…``."""
    used: dict[str, set[str]] = {}
    text = json.dumps(value, ensure_ascii=False)
    while found := re.search(r"\$\{(\w+)(?::([-?])([^${}]*))?\}", text):
        name, kind, default = found.groups()
        used.setdefault(name, set()).update([default] if kind == "-" else [])
        text = text[: found.start()] + "…" + text[found.end() :]
    return used


def module_of(service: Mapping[str, Any]) -> str:
    """The module that ``python -m MODULE …`` starts."""
    python, option, module, *_ = service["command"]
    assert (python, option) == ("python", "-m")
    return str(module)


def mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """Source by target of the volumes of a container that have a name or a path."""
    parts = [volume.split(":") for volume in service.get("volumes", []) if ":" in volume]
    return {target: source for source, target, *_ in parts}
