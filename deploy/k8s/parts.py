"""What the manifests have in common: names, labels, ports."""

from typing import Any

Object = dict[str, Any]

IMAGE = "shopstream"
"""Replaced by the overlays."""
PART_OF = "shopstream"
USER = 10001
"""The user of the image, and its group."""
HTTP_PORT = 8000
"""Of REST fronts, and of health and metrics of event processes."""
METRICS_PORT = 9000
"""Of health and metrics of REST fronts."""
FILES = "/run/secrets/shopstream"
"""Where a container finds the files with its secrets."""
KAFKA_CLUSTER = "shop"
"""The name of Strimzi's Kafka resource."""

REST, WORKER, JOB = "rest", "worker", "job"
"""Kinds of programs."""


def resource(kind: str, name: str, api_version: str = "v1", labels: dict[str, str] | None = None) -> Object:
    """Begin an object."""
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, **({"labels": labels} if labels else {})},
    }


def labels(name: str, component: str) -> dict[str, str]:
    """Return the labels of a program."""
    return {**selector(name), "app.kubernetes.io/component": component, "app.kubernetes.io/part-of": PART_OF}


def selector(name: str) -> dict[str, str]:
    """Return the label that finds the pods of one program."""
    return {"app.kubernetes.io/name": name}


def kafka_user(principal: str) -> str:
    """Return the name of a principal: names of Kubernetes, and so of Strimzi's users, have no underscores."""
    return principal.replace("_", "-")
