"""The programs of a service: its REST front and its event process as Deployments, its migrations as a Job."""

from collections.abc import Iterator, Mapping

from deploy.k8s.parts import (
    FILES,
    HTTP_PORT,
    IMAGE,
    JOB,
    METRICS_PORT,
    REST,
    USER,
    WORKER,
    Object,
    labels,
    resource,
    selector,
)
from deploy.k8s.secrets import ADMIN, SecretFile, secret_files
from deploy.resources import Default, Program, PublicUrl, RestUrl, Service, System
from deploy.system import CREATE_TOPICS, MIGRATIONS

MEMORY = "384Mi"
"""As in compose.yaml: measured 100 to 130 MiB, and 76 more in customer_svc while it hashes passwords."""
REQUESTS = {"cpu": "100m", "memory": "192Mi"}
GRACE_SECONDS = 40
"""The five below, ten for requests in flight, and what an event process needs to finish its batch."""
UNROUTED_SECONDS = 5
"""So long a pod that is to end still serves: until then, requests may be sent to it."""
TMP = {"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}


def service_objects(system: System, service: Service) -> Iterator[Object]:
    """Yield everything that belongs to one service."""
    account = resource("ServiceAccount", service.name, labels=labels(service.name, REST))
    yield {**account, "automountServiceAccountToken": False}
    front, worker = system.processes(service)
    yield from _process(front, REST, service)
    yield _service(front)
    yield from _process(worker, WORKER, service)
    migrations = next(one for one in MIGRATIONS if one.name == service.migrations)
    yield _job(migrations, service.name, f"{service.name}-settings")


def topics_objects() -> Iterator[Object]:
    """Yield the job that creates the topics, and its account."""
    account = resource("ServiceAccount", CREATE_TOPICS.name, labels=labels(CREATE_TOPICS.name, JOB))
    yield {**account, "automountServiceAccountToken": False}
    yield _job(CREATE_TOPICS, CREATE_TOPICS.name, f"{ADMIN}-settings")


def _process(program: Program, component: str, service: Service) -> Iterator[Object]:
    marked = labels(program.name, component)
    ports = {"http": HTTP_PORT, "metrics": METRICS_PORT} if component == REST else {"metrics": HTTP_PORT}
    listening = {"HOST": "0.0.0.0", "PORT": str(HTTP_PORT)}  # noqa: S104 - inside the pod
    if component == REST:
        listening |= {"METRICS_HOST": "0.0.0.0", "METRICS_PORT": str(METRICS_PORT)}  # noqa: S104
    container = _container(program, listening, ["settings", f"{service.name}-settings"]) | {
        "ports": [{"name": name, "containerPort": port} for name, port in ports.items()],
        # The process has to start before anybody asks whether it lives.
        "startupProbe": _probe("/health/live", ports, periodSeconds=2, failureThreshold=60),
        "readinessProbe": _probe("/health/ready", ports, periodSeconds=5, timeoutSeconds=4, failureThreshold=2),
        "livenessProbe": _probe("/health/live", ports, periodSeconds=10, timeoutSeconds=5, failureThreshold=6),
        "lifecycle": {"preStop": {"sleep": {"seconds": UNROUTED_SECONDS}}},
    }
    yield resource("Deployment", program.name, "apps/v1", marked) | {
        # Without a number: it is the overlay's or the scaler's, and stays as it is when this is applied again.
        "spec": {
            "revisionHistoryLimit": 3,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "selector": {"matchLabels": selector(program.name)},
            "template": {
                "metadata": {"labels": marked},
                "spec": {
                    **_pod(program, service.name, container),
                    "terminationGracePeriodSeconds": GRACE_SECONDS,
                    "topologySpreadConstraints": [
                        _spread(program, key) for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
                    ],
                },
            },
        }
    }
    yield resource("PodDisruptionBudget", program.name, "policy/v1", marked) | {
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(program.name)},
        }
    }


def _service(front: Program) -> Object:
    return resource("Service", front.name, labels=labels(front.name, REST)) | {
        "spec": {
            "selector": selector(front.name),
            "ports": [{"name": "http", "port": HTTP_PORT, "targetPort": "http"}],
        }
    }


def _job(program: Program, account: str, *settings: str) -> Object:
    """Return a job: it changes nothing if its work is done, and tries again until its server is there."""
    marked = labels(program.name, JOB)
    return resource("Job", program.name, "batch/v1", marked) | {
        "spec": {
            "backoffLimit": 10,
            # Then an upgrade can make it anew: the template of a job cannot be changed.
            "ttlSecondsAfterFinished": 600,
            "template": {
                "metadata": {"labels": marked},
                "spec": {
                    **_pod(program, account, _container(program, {}, list(settings))),
                    "restartPolicy": "OnFailure",
                },
            },
        }
    }


def _container(program: Program, listening: Mapping[str, str], settings: list[str]) -> Object:
    files = list(secret_files(program))
    environment = {**listening, **_addresses(program), **{one.variable: one.path for one in files if one.variable}}
    return {
        "name": program.name,
        "image": IMAGE,
        "command": ["python", "-m", program.module, *program.arguments],
        **({"envFrom": [{"configMapRef": {"name": name}} for name in settings]} if settings else {}),
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "resources": {"requests": REQUESTS, "limits": {"memory": MEMORY}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - of this container alone
            {"name": "secrets", "mountPath": FILES, "readOnly": True},
        ],
    }


def _addresses(program: Program) -> dict[str, str]:
    """Return the settings whose values are the same everywhere; the overlays set the others."""
    found = {}
    for name, source in program.settings.items():
        match source:
            case RestUrl(service, path):
                found[name] = f"http://{service}:{HTTP_PORT}{path}"
            case Default() | PublicUrl():
                pass
    return found


def _pod(program: Program, account: str, container: Object) -> Object:
    sources = [_projected(one) for one in secret_files(program)]
    return {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        # Else Kubernetes would add variables such as ORDER_PORT for the services that it knows.
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [TMP, {"name": "secrets", "projected": {"defaultMode": 0o440, "sources": sources}}],
    }


def _projected(one: SecretFile) -> Object:
    optional = {"optional": True} if one.optional else {}
    return {"secret": {"name": one.secret, "items": [{"key": one.key, "path": one.file}], **optional}}


def _probe(path: str, ports: Mapping[str, int], **times: int) -> Object:
    return {"httpGet": {"path": path, "port": next(iter(ports))}, **times}


def _spread(program: Program, key: str) -> Object:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector(program.name)},
    }
