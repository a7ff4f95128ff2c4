"""``compose.yaml`` and the Dockerfile name only what exists: settings, commands, ports, paths, databases.

Each check returns what is wrong. It must find nothing in the real files, and something in spoiled copies.
"""

import ast
import importlib
import importlib.util
import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import get_annotations
from pathlib import Path, PurePosixPath
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import pytest
import yaml
from fastapi import APIRouter, FastAPI
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from chassis.health import add_health
from deploy.compose.signing_key import make_signing_key
from deploy.local.services import SERVICES, Addresses, environment

ROOT = Path(__file__).parents[2]
IMAGE = "shopstream"
Check = Callable[["Deployment"], list[str]]


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


# --- Reading the files -------------------------------------------------------------------------------------


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


def source_of(module: str) -> Path | None:
    """The file that ``python -m MODULE`` runs, if there is one."""
    try:
        spec = importlib.util.find_spec(module)
        if spec and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{module}.__main__")
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


def settings_of(module: str) -> type[BaseSettings] | None:
    """The class that the program loads its settings with; not imported, for that would run some of them."""
    path = source_of(module)
    assert path
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "load":
            assert isinstance(node.args[0], ast.Name)
            return _resolve(tree, node.args[0].id, module if path.name != "__main__.py" else f"{module}.__main__")
    return None


def _resolve(tree: ast.Module, name: str, module: str) -> type[BaseSettings]:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            module = str(node.module)
    found: type[BaseSettings] = getattr(importlib.import_module(module), name)
    assert issubclass(found, BaseSettings)
    return found


def options_of(module: str) -> set[str]:
    """The environment variables that stand in for options of a program without settings."""
    main = getattr(importlib.import_module(module), "main", None)
    marks = [getattr(hint, "__metadata__", ()) for hint in get_annotations(main).values()] if main else []
    return {str(mark.envvar) for each in marks for mark in each if getattr(mark, "envvar", None)}


def mounts(service: Mapping[str, Any]) -> dict[str, str]:
    """Source by target of the volumes of a container."""
    parts = [volume.split(":") for volume in service.get("volumes", [])]
    return {target: source for source, target, *_ in parts}


def image_files(deployment: Deployment) -> dict[PurePosixPath, PurePosixPath]:
    """Path in the image by path in the repository, of what the Dockerfile copies from it."""
    copied = {}
    for line in re.findall(r"^COPY (?!--from)(.+)$", deployment.dockerfile, re.M):
        *sources, target = line.split()
        for source in map(PurePosixPath, sources):
            into = target.endswith("/")
            copied[source] = PurePosixPath(target) / source.name if into else PurePosixPath(target)
    return copied


@cache
def first_party(path: Path) -> frozenset[Path]:
    """Every file of this repository that running this one imports, itself included."""
    found, waiting = set(), {path}
    while waiting:
        found.add(one := waiting.pop())
        for node in ast.walk(ast.parse(one.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
            waiting |= {file for name in names for file in _files(name)} - found
    return frozenset(found)


def _files(module: str) -> Iterator[Path]:
    path = ROOT.joinpath(*module.split("."))
    candidates = [path.with_suffix(".py"), path / "__init__.py"]
    yield from (file for file in candidates if file.is_file() and ".venv" not in file.parts)


# --- The checks --------------------------------------------------------------------------------------------


def commands_exist(deployment: Deployment) -> list[str]:
    return [
        f"{name}: no program {module_of(service)}"
        for name, service in deployment.ours.items()
        if not source_of(module_of(service))
    ]


def settings_are_known(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.ours.items():
        settings = settings_of(module_of(service))
        known = {field.upper() for field in settings.model_fields} if settings else options_of(module_of(service))
        wrong += [f"{name}: nothing reads {key}" for key in service.get("environment", {}) if key not in known]
    return wrong


def settings_are_accepted(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.ours.items():
        settings = settings_of(module_of(service))
        given = {k: "given by the caller" if v is None else v for k, v in service.get("environment", {}).items()}
        if "JWT_PRIVATE_KEY_FILE" in given:
            given["JWT_PRIVATE_KEY_FILE"] = _key_on_this_machine(deployment, name)
        try:
            with patch.dict(os.environ, given, clear=True):
                _ = settings() if settings else None
        except ValidationError as error:
            wrong += [f"{name}: {one['loc']}: {one['msg']}" for one in error.errors()]
    return wrong


def _key_on_this_machine(deployment: Deployment, name: str) -> str:
    """The path of a real key, if the container finds its own where the job puts it."""
    job, user = deployment.ours["signing-key"], deployment.ours[name]
    written, read = job["command"][-1], user["environment"]["JWT_PRIVATE_KEY_FILE"]
    place = str(PurePosixPath(read).parent)
    shared = mounts(job).get(place) == mounts(user).get(place) is not None
    return str(deployment.signing_key) if shared and written == read and "signing-key" in user["depends_on"] else read


def local_settings_are_given(deployment: Deployment) -> list[str]:
    wrong = []
    for service in SERVICES:
        both = [deployment.ours[name]["environment"] for name in (service, f"{service}-worker")]
        given = both[0] | both[1]
        local = environment(service, Addresses("k:1", "postgresql://p", "mongodb://m", "smtp://s", _REST, ROOT))
        wrong += [f"{service}: the local run sets {key}" for key in local if key not in given]
        same = ("SHOP_ENV", "MAIL_FROM")
        wrong += [f"{service}: other {key} than locally" for key in same if given.get(key) != local.get(key)]
    return wrong


_REST = dict.fromkeys(SERVICES, "http://x")


def ports_fit(deployment: Deployment) -> list[str]:
    wrong, taken = [], []
    for name, service in deployment.services.items():
        for address, host, inside in (mapping.rsplit(":", 2) for mapping in service.get("ports", [])):
            taken.append(host)
            if address != "127.0.0.1":
                wrong.append(f"{name}: published on {address}")
            if name in deployment.ours and inside != service["environment"]["PORT"]:
                wrong.append(f"{name}: publishes {inside}, listens on {service['environment']['PORT']}")
    expected = [*range(8001, 8005), 8025]
    return wrong + ([] if sorted(taken) == list(map(str, expected)) else [f"published: {sorted(taken)}"])


def paths_exist(deployment: Deployment) -> list[str]:
    declared, used, paths = set(deployment.compose["volumes"]), set(), []
    for service in deployment.services.values():
        for source in mounts(service).values():
            paths.append(source) if source.startswith((".", "/")) else used.add(source)
        if build := service.get("build"):
            paths += [build["context"], f"{build['context']}/{build['dockerfile']}"]
    wrong = [f"no {path}" for path in paths if not (ROOT / path).exists()]
    return wrong + [f"volume {name}: not both declared and used" for name in declared ^ used]


def dependencies_can_be_met(deployment: Deployment) -> list[str]:
    services, wrong = deployment.services, []
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            target = services.get(other, {})
            met = {
                "service_healthy": "healthcheck" in target,
                "service_completed_successfully": target.get("restart") == "no",
            }
            if not met.get(how["condition"]):
                wrong.append(f"{name}: {other} can never be {how['condition']}")
    # `up --wait` takes a container that has ended for a failure, unless another one waits for its end.
    awaited = {other for service in deployment.processes.values() for other in service["depends_on"]}
    jobs = {name for name in set(deployment.ours) - set(deployment.processes) if "profiles" not in services[name]}
    return wrong + [f"no process waits for {name}" for name in jobs - awaited]


def containers_are_looked_after(deployment: Deployment) -> list[str]:
    wrong = [f"{name}: no mem_limit" for name, service in deployment.services.items() if "mem_limit" not in service]
    for name, service in deployment.services.items():
        if service["restart"] != "no":
            wanted = {"healthcheck", "stop_grace_period"} - set(service)
            wrong += [f"{name}: no {key}" for key in sorted(wanted)]
        if name not in deployment.ours and not re.search(r":v?\d", service["image"]):
            wrong.append(f"{name}: {service['image']} names no version")
    return wrong


def urls_lead_somewhere(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.ours.items():
        for key, value in service.get("environment", {}).items():
            url = urlsplit(value if "//" in (value or "") else f"//{value}")
            if not key.endswith(("_URL", "_SERVERS")):
                continue
            target = deployment.services.get(url.hostname or "")
            if target is None:
                wrong.append(f"{name}: {key}: no container {url.hostname}")
            elif url.scheme == "http" and (
                str(url.port) != target["environment"]["PORT"] or (url.path and url.path not in _routes(target))
            ):
                wrong.append(f"{name}: {key}: {url.hostname} has no {url.port}{url.path}")
    return wrong


def healthchecks_ask_a_route(deployment: Deployment) -> list[str]:
    wrong = []
    for name, service in deployment.processes.items():
        found = re.search(r"http://127\.0\.0\.1:(\d+)(/[\w/]+)'", str(service["healthcheck"]["test"]))
        if not found or found[1] != service["environment"]["PORT"] or found[2] not in _routes(service):
            wrong.append(f"{name}: asks {found and found[0]}")
    return wrong


def _routes(service: Mapping[str, Any]) -> set[str]:
    """The paths that a process answers: health in all of them, and its API in a REST front."""
    app = FastAPI()
    add_health(app, "x", {})
    router = getattr(importlib.import_module(module_of(service)), "router", APIRouter())
    return {getattr(route, "path", "") for route in (*app.routes, *router.routes)}


def variables_are_documented(deployment: Deployment) -> list[str]:
    used, shown = variables(deployment.compose), deployment.env | deployment.defaults
    wrong = [f"{name} is in compose.yaml and not in env.example" for name in used if name not in shown]
    wrong += [f"{name} is in env.example and not in compose.yaml" for name in shown if name not in used]
    wrong += [f"{name} has no default" for name in used if not used[name] and name not in deployment.env]
    shows = deployment.defaults.items()
    return wrong + [f"the default of {name} is not {value}" for name, value in shows if {value} != used.get(name)]


def image_has_what_commands_import(deployment: Deployment) -> list[str]:
    copied, wrong = image_files(deployment), set()
    for service in deployment.ours.values():
        path = source_of(module_of(service))
        for file in first_party(path) if path else ():
            relative = PurePosixPath(file.relative_to(ROOT))
            source = next((one for one in (relative, *relative.parents) if one in copied), None)
            if source is None:
                wrong.add(f"{relative} is not copied")
            elif copied[source] / relative.relative_to(source) != PurePosixPath("/app") / relative:
                wrong.add(f"{relative} is copied to a wrong place")
    return sorted(wrong)


def image_is_made_of_what_exists(deployment: Deployment) -> list[str]:
    sources = image_files(deployment)
    allowed = {PurePosixPath(path) for path in re.findall(r"^!(.+)$", deployment.dockerignore, re.M)}
    wrong = [f"no {source}" for source in sources if not (ROOT / source).exists()]
    wrong += [f".dockerignore keeps {source} away" for source in sources if source not in allowed]
    wrong += [f".dockerignore lets in {source}, which nothing copies" for source in allowed - set(sources)]
    if re.findall(r"^USER (\S+)$", deployment.dockerfile, re.M)[-1:] != ["10001:10001"]:
        wrong.append("it runs as root")
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    known = {name.rstrip("*") for name in packages["include"]}
    return wrong + [f"{source} is no package of ours" for source in sources if source.parts[0] not in known]


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


def image_is_built_first(deployment: Deployment) -> list[str]:
    """One container builds the image; whatever stays waits for it, so ``up --build SERVICE`` builds, too."""
    builders = [name for name, service in deployment.ours.items() if "build" in service]
    waiting = [
        name for name, service in deployment.processes.items() if not set(builders) & set(service["depends_on"])
    ]
    return [f"built by {builders}"] * (len(builders) != 1) + [f"{name} does not wait for it" for name in waiting]


CHECKS: list[Check] = [
    commands_exist,
    containers_are_looked_after,
    databases_are_made,
    dependencies_can_be_met,
    healthchecks_ask_a_route,
    image_has_what_commands_import,
    image_is_built_first,
    image_is_made_of_what_exists,
    local_settings_are_given,
    paths_exist,
    ports_fit,
    settings_are_accepted,
    settings_are_known,
    urls_lead_somewhere,
    variables_are_documented,
]


# --- The tests ---------------------------------------------------------------------------------------------


@cache
def compose_file() -> str:
    """compose.yaml as JSON: quick to read again, and with no object shared, as YAML does behind an anchor."""
    return json.dumps(yaml.safe_load((ROOT / "compose.yaml").read_text()))


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """The files as they are."""
    key = tmp_path / "jwt.pem"
    assert make_signing_key(key)
    shown = (ROOT / "deploy/compose/env.example").read_text()
    return Deployment(
        compose=json.loads(compose_file()),
        env=dict(re.findall(r"^([A-Z_]+)=(.*)$", shown, re.M)),
        defaults=dict(re.findall(r"^#([A-Z_]+)=(.*)$", shown, re.M)),
        dockerfile=(ROOT / "deploy/Dockerfile").read_text(),
        dockerignore=(ROOT / ".dockerignore").read_text(),
        databases=(ROOT / "deploy/compose/postgres-init.sh").read_text(),
        signing_key=key,
    )


@pytest.mark.parametrize("check", CHECKS)
def test_the_files_are_right(check: Check, deployment: Deployment) -> None:
    assert check(deployment) == []


Spoil = Callable[[Deployment], None]


def put(place: str, value: Any) -> Spoil:
    """Set a value in the containers of compose.yaml."""

    def spoil(deployment: Deployment) -> None:
        *way, last = place.split("/")
        target = deployment.compose["services"]
        for step in way:
            target = target[step]
        target[last] = value

    return spoil


def drop(place: str) -> Spoil:
    """Remove a value from the containers of compose.yaml."""

    def spoil(deployment: Deployment) -> None:
        *way, last = place.split("/")
        target = deployment.compose["services"]
        for step in way:
            target = target[step]
        del target[last]

    return spoil


def swap(file: str, old: str, new: str) -> Spoil:
    """Replace text in a file other than compose.yaml."""

    def spoil(deployment: Deployment) -> None:
        text = getattr(deployment, file)
        assert old in text
        setattr(deployment, file, text.replace(old, new))

    return spoil


def example(name: str, value: str | None) -> Spoil:
    """Set or remove a variable of env.example."""

    def spoil(deployment: Deployment) -> None:
        deployment.env.pop(name, None)
        deployment.env |= {} if value is None else {name: value}

    return spoil


HEALTH = "from urllib.request import urlopen; urlopen('http://127.0.0.1:%s')"

SPOILED: list[tuple[Check, Spoil]] = [
    (commands_exist, put("order/command", ["python", "-m", "order_svc.mian"])),
    (commands_exist, put("topics/command", ["python", "-m", "deployment.topics"])),
    (commands_exist, put("order/command", ["python", "-m", "order_svc"])),
    (containers_are_looked_after, drop("kafka/mem_limit")),
    (containers_are_looked_after, drop("order-worker/healthcheck")),
    (containers_are_looked_after, drop("postgres/stop_grace_period")),
    (containers_are_looked_after, put("mongo/image", "mongo:latest")),
    (databases_are_made, swap("databases", "create order_svc", "create orders")),
    (databases_are_made, swap("databases", '_svc "$ORDER_DB', '_svc "$NOTIFIER_DB')),
    (databases_are_made, put("order/environment/POSTGRES_URL", "postgresql://order_svc:x@postgres/customer_svc")),
    (databases_are_made, drop("postgres/environment/CUSTOMER_DB_PASSWORD")),
    (dependencies_can_be_met, put("order/depends_on/kafak", {"condition": "service_healthy"})),
    (dependencies_can_be_met, drop("mailpit/healthcheck")),
    (dependencies_can_be_met, drop("customer/depends_on/signing-key")),
    (dependencies_can_be_met, put("order/depends_on/customer", {"condition": "service_completed_successfully"})),
    (healthchecks_ask_a_route, put("order/healthcheck/test", ["CMD", "python", "-c", HEALTH % "8000/ready"])),
    (healthchecks_ask_a_route, put("order/healthcheck/test", ["CMD", "python", "-c", HEALTH % "80/health/ready"])),
    (image_has_what_commands_import, swap("dockerfile", "COPY chassis /app/chassis\n", "")),
    (image_has_what_commands_import, swap("dockerfile", "COPY schemas /app/schemas", "COPY schemas /app/events")),
    (image_has_what_commands_import, swap("dockerfile", "deploy/topics.py ", "")),
    (image_is_built_first, drop("topics/build")),
    (image_is_built_first, drop("order/depends_on/topics")),
    (image_is_made_of_what_exists, swap("dockerfile", "COPY chassis", "COPY chasis")),
    (image_is_made_of_what_exists, swap("dockerfile", "COPY chassis", "COPY tests")),
    (image_is_made_of_what_exists, swap("dockerfile", "USER 10001:10001", "USER root")),
    (image_is_made_of_what_exists, swap("dockerignore", "!chassis", "chassis")),
    (image_is_made_of_what_exists, swap("dockerignore", "!chassis", "!chassis\n!tests")),
    (local_settings_are_given, drop("order/environment/PRODUCT_URL")),
    (local_settings_are_given, put("notifier-worker/environment/MAIL_FROM", "other@example.com")),
    (paths_exist, put("topics/build/dockerfile", "Dockerfile")),
    (paths_exist, put("postgres/volumes", ["./deploy/compose/init.sql:/x:ro"])),
    (paths_exist, put("mongo/volumes", ["documents:/data/db"])),
    (ports_fit, put("order/ports", ["127.0.0.1:${ORDER_PORT:-8003}:8003"])),
    (ports_fit, put("order/ports", ["127.0.0.1:${ORDER_PORT:-8002}:8000"])),
    (ports_fit, put("order/ports", ["0.0.0.0:${ORDER_PORT:-8003}:8000"])),
    (settings_are_accepted, drop("order/environment/KAFKA_BOOTSTRAP_SERVERS")),
    (settings_are_accepted, put("product/environment/MONGO_URL", "http://mongo")),
    (settings_are_accepted, drop("customer-migrations/environment/POSTGRES_URL")),
    (settings_are_accepted, drop("staff-account/environment/BOOTSTRAP_PASSWORD")),
    (settings_are_accepted, put("customer/volumes", [])),
    (settings_are_accepted, put("signing-key/command", ["python", "-m", "deploy.compose.signing_key", "/x.pem"])),
    (settings_are_known, put("order/environment/JWKS_URI", "http://customer:8000/.well-known/jwks.json")),
    (settings_are_known, put("topics/environment/KAFKA_SERVERS", "kafka:9092")),
    (urls_lead_somewhere, put("order/environment/PRODUCT_URL", "http://products:8000")),
    (urls_lead_somewhere, put("order/environment/PRODUCT_URL", "http://product:8002")),
    (urls_lead_somewhere, put("order/environment/JWKS_URL", "http://customer:8000/jwks.json")),
    (urls_lead_somewhere, put("order-worker/environment/KAFKA_BOOTSTRAP_SERVERS", "broker:9092")),
    (variables_are_documented, put("order/environment/LOG_LEVEL", "${VERBOSITY}")),
    (variables_are_documented, put("order/environment/LOG_LEVEL", "${LOG_LEVEL:-DEBUG}")),
    (variables_are_documented, example("UNUSED", "1")),
    (variables_are_documented, example("POSTGRES_PASSWORD", None)),
]


@pytest.mark.parametrize(("check", "spoil"), SPOILED, ids=lambda one: getattr(one, "__name__", ""))
def test_a_check_notices_what_is_wrong(check: Check, spoil: Spoil, deployment: Deployment) -> None:
    spoil(deployment)
    assert check(deployment)


def test_every_check_is_seen_to_fail() -> None:
    assert {check for check, _ in SPOILED} == set(CHECKS)


def test_the_signing_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "jwt.pem"
    assert make_signing_key(path)
    made = path.read_bytes()
    assert not make_signing_key(path)
    assert (path.read_bytes(), path.stat().st_mode & 0o777, list(tmp_path.iterdir())) == (made, 0o400, [path])
