"""The programs of the system map run, with settings that they read and accept, and with no rights to spare."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from unittest.mock import patch

from pydantic import ValidationError

from chassis.runtime.health import health_endpoints
from chassis.runtime.setting_files import UnusableSetting
from deploy.k8s.parts import FILES
from deploy.resources import Program
from deploy.signing_key import make_signing_key
from deploy.system import ACCOUNTS, SYSTEM
from tests.compose.programs import options_of, settings_of
from tests.k8s.corruptions import Corruptions, remove, set_value
from tests.k8s.manifests import Manifests, Object

PROGRAMS = [*SYSTEM.all_processes, *(job for job in SYSTEM.jobs if job not in ACCOUNTS)]
"""Accounts are made in the pods of customer_svc's REST front."""
READ_BY_LIBRARIES = {"SSL_CERT_FILE", "PGSSLMODE", "PGSSLROOTCERT"}
WRITTEN = {
    "uri": "postgresql://{name}_svc:kX3-vN8.qP2-tR5@{name}-postgres-rw:5432/{name}_svc",
    "connectionString.standard": "mongodb://product_svc:kX3-vN8.qP2-tR5@a:27017,b:27017/product_svc?replicaSet=x&ssl=false",
    "password": "kX3-vN8.qP2-tR5",
    "link-key": "kX3-vN8.qP2-tR5-wM9-bD4-hJ6-cF1-zL7",
    "url": "smtps://shop:kX3-vN8.qP2-tR5@mail.example.com:465",
    "ca.crt": "",
}
"""What operators write, or people, into the keys of Secrets that are in no file."""
RESTRICTED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def programs_run(manifests: Manifests) -> list[str]:
    wrong, ours = [], dict(_ours(manifests))
    for program in PROGRAMS:
        command = ["python", "-m", program.module, *program.arguments]
        if program.name not in ours:
            wrong.append(f"{program.name}: nothing runs it")
        elif ours[program.name]["command"] != command:
            wrong.append(f"{program.name}: runs {ours[program.name]['command']}")
    return wrong + [f"{name}: is not in the system map" for name in ours.keys() - {one.name for one in PROGRAMS}]


def _ours(manifests: Manifests) -> Iterator[tuple[str, Object]]:
    for name, template in manifests.pods:
        for container in template["spec"]["containers"]:
            if container["image"].rpartition(":")[0].endswith("shopstream"):
                yield name, container


def settings_are_read(manifests: Manifests) -> list[str]:
    """By the program; of a ConfigMap, by one of the programs that get it."""
    wrong, read_from_map = [], dict[tuple[str, str], bool]()
    for name, container in _ours(manifests):
        known = _known(next(one for one in PROGRAMS if one.name == name))
        wrong += [f"{name}: nothing reads {one['name']}" for one in container["env"] if one["name"] not in known]
        for source in container.get("envFrom", ()):
            given = source["configMapRef"]["name"]
            for key in manifests.get("ConfigMap", given)["data"]:
                read_from_map[given, key] = read_from_map.get((given, key), False) or key in known
    return wrong + [f"{given}: nothing reads {key}" for (given, key), read in read_from_map.items() if not read]


def _known(program: Program) -> set[str]:
    settings = settings_of(program.module)
    names = {name.upper() for name in settings.model_fields} if settings else options_of(program.module)
    return names | {f"{name}_FILE" for name in names if settings} | READ_BY_LIBRARIES


def environment(manifests: Manifests, container: Object) -> dict[str, str]:
    """The variables of a container; those that are named later win."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", ()):
        found |= manifests.get("ConfigMap", source["configMapRef"]["name"])["data"]
    return found | {one["name"]: one["value"] for one in container["env"]}


def settings_are_valid(manifests: Manifests) -> list[str]:
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "key").write_bytes(_signing_key())
        for program, container in _ours(manifests):
            (folder / program).mkdir()
            _write_files(manifests, program, folder)
            # As if the folder were where the container mounts it.
            given = {
                key: value.replace(FILES, str(folder / program))
                for key, value in environment(manifests, container).items()
            }
            wrong += [f"{program}: {problem}" for problem in _refused(program, given)]
    return wrong


@cache
def _signing_key() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        make_signing_key(Path(name) / "key")
        return (Path(name) / "key").read_bytes()


def _write_files(manifests: Manifests, program: str, folder: Path) -> None:
    own = {one["metadata"]["name"]: one["stringData"] for one in manifests.of("Secret")}
    for volume in manifests.pod(program)["spec"]["volumes"]:
        for source in volume.get("projected", {}).get("sources", ()):
            secret = source["secret"]
            for item in secret["items"]:
                path = folder / program / item["path"]
                if item["key"] == "jwt.pem":
                    path.symlink_to(folder / "key")
                else:
                    service = secret["name"].partition("-")[0]
                    content = own.get(secret["name"], WRITTEN).get(item["key"], "").format(name=service)
                    path.write_text(content + "\n")


def _refused(program: str, given: Mapping[str, str]) -> list[str]:
    settings = settings_of(next(one.module for one in PROGRAMS if one.name == program))
    try:
        with patch.dict(os.environ, given, clear=True):
            _ = settings() if settings else None
    except ValidationError as error:
        return [f"{one['loc']}: {one['msg']}" for one in error.errors()]
    except UnusableSetting as error:
        return [str(error)]
    return []


def pods_have_no_rights_to_spare(manifests: Manifests) -> list[str]:
    """The restricted profile of Pod Security, a read-only root, limits, and no token for the API server."""
    wrong = []
    for name, template in manifests.pods:
        spec = template["spec"]
        pod = spec.get("securityContext", {})
        if not (pod.get("runAsNonRoot") and pod.get("runAsUser") and pod.get("seccompProfile")):
            wrong.append(f"{name}: may run as root, or without seccomp")
        expected = {"automountServiceAccountToken": False, "enableServiceLinks": False}
        wrong += [f"{name}: {key} is not {value}" for key, value in expected.items() if spec.get(key) is not value]
        wrong += [f"{name}: has {key}" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
        wrong += [f"{name}: mounts the host" for one in spec.get("volumes", ()) if "hostPath" in one]
        for container in spec["containers"]:
            if container.get("securityContext") != RESTRICTED:
                wrong.append(f"{name}: {container['name']} has rights to spare")
            resources = container.get("resources", {})
            if not (
                resources.get("requests", {}).keys() >= {"cpu", "memory"} and "memory" in resources.get("limits", {})
            ):
                wrong.append(f"{name}: {container['name']} without requests and limits")
    namespace = manifests.get("Namespace", "shopstream")["metadata"].get("labels", {})
    if namespace.get("pod-security.kubernetes.io/enforce") != "restricted":
        wrong.append("the namespace admits more than restricted pods")
    return wrong


def processes_are_watched(manifests: Manifests) -> list[str]:
    """Each is asked on a path that exists, spread over nodes, and not evicted with all its like."""
    wrong = []
    for program in SYSTEM.all_processes:
        if ("Deployment", program.name) not in manifests.names:
            continue
        spec = manifests.pod(program.name)["spec"]
        [container] = spec["containers"]
        for kind, path in (("startup", "live"), ("readiness", "ready"), ("liveness", "live")):
            asked = container.get(f"{kind}Probe", {}).get("httpGet", {}).get("path")
            if asked != f"/health/{path}" or asked not in health_endpoints("x", {}):
                wrong.append(f"{program.name}: its {kind} probe asks {asked}")
        if not spec.get("topologySpreadConstraints"):
            wrong.append(f"{program.name}: may all be on one node")
        if ("PodDisruptionBudget", program.name) not in manifests.names:
            wrong.append(f"{program.name}: may all be evicted at once")
    return wrong


def containers_listen_on_the_ports_they_declare(manifests: Manifests) -> list[str]:
    wrong = []
    for name, container in _ours(manifests):
        given, ports = (
            environment(manifests, container),
            {one["name"]: one["containerPort"] for one in container.get("ports", ())},
        )
        listening = {given["PORT"], given.get("METRICS_PORT", given["PORT"])} if "PORT" in given else set()
        if {str(port) for port in ports.values()} != listening:
            wrong.append(f"{name}: listens on {listening}, declares {ports}")
        if "METRICS_PORT" in given and str(ports.get("metrics")) != given["METRICS_PORT"]:
            wrong.append(f"{name}: serves its metrics on {given['METRICS_PORT']}")
    return wrong


CONTAINER = "spec template spec containers 0"
CORRUPTIONS: Corruptions = {
    programs_run: [
        remove("Deployment/order-worker"),
        remove("Job/order-migrations"),
        set_value("Deployment/order", f"{CONTAINER} command", ["python", "-m", "order_svc.worker"]),
        set_value("Deployment/order", "metadata name", "orders"),
    ],
    settings_are_read: [
        set_value("Deployment/order", f"{CONTAINER} env 0 name", "HOSTS"),
        set_value("ConfigMap/order-settings", "data ORDER_PER_MINUTE", "100"),
        set_value("ConfigMap/settings", "data MAILFROM", "shop@example.com"),
        set_value("Job/topics", f"{CONTAINER} env 0 name", "KAFKA_PASSWORD"),
    ],
    settings_are_valid: [
        remove("ConfigMap/order-settings", "data KAFKA_BOOTSTRAP_SERVERS"),
        remove("ConfigMap/notifier-settings", "data MAIL_FROM"),
        set_value("ConfigMap/order-settings", "data KAFKA_BOOTSTRAP_SERVERS", "shop-kafka-bootstrap:9093"),
        set_value("ConfigMap/notifier-settings", "data SHOP_URL", "http://shop.example.com"),
        set_value("ConfigMap/settings", "data LOG_LEVEL", "VERBOSE"),
        set_value("Deployment/order", "spec template spec volumes 1 projected sources 0 secret items 0 path", "url"),
        remove("Deployment/order", "spec template spec volumes 1 projected sources 0"),
    ],
    pods_have_no_rights_to_spare: [
        remove("Deployment/order", "spec template spec securityContext runAsNonRoot"),
        remove("StatefulSet/kafka", "spec template spec securityContext seccompProfile"),
        remove("Deployment/order", f"{CONTAINER} securityContext capabilities"),
        set_value("StatefulSet/mongo", f"{CONTAINER} securityContext readOnlyRootFilesystem", False),
        set_value("Deployment/order", "spec template spec automountServiceAccountToken", True),
        set_value("Deployment/order", "spec template spec volumes 0", {"name": "tmp", "hostPath": {"path": "/tmp"}}),
        remove("Job/topics", f"{CONTAINER} resources limits"),
        remove("Namespace/shopstream", "metadata labels"),
    ],
    processes_are_watched: [
        set_value("Deployment/order", f"{CONTAINER} readinessProbe httpGet path", "/ready"),
        set_value("Deployment/order", f"{CONTAINER} livenessProbe httpGet path", "/health/ready"),
        remove("PodDisruptionBudget/order-worker"),
        remove("Deployment/order", "spec template spec topologySpreadConstraints"),
    ],
    containers_listen_on_the_ports_they_declare: [
        set_value("Deployment/order", f"{CONTAINER} ports 0 containerPort", 8003),
        set_value("Deployment/order", f"{CONTAINER} ports 1 containerPort", 9001),
        set_value("Deployment/order-worker", f"{CONTAINER} env 1 value", "8001"),
    ],
}
