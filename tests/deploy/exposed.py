"""What Prometheus sees of the code: names, labels and values, and which of them a query asks for."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import get_args

from prometheus_client import REGISTRY

from chassis.messaging.dead_letters import OPEN
from customer_svc.audit_log.domain import Action, Outcome
from tests.contracts.reference import PROCESSES, SHARED, errors, metrics

SELECTOR = re.compile(r"\b((?:shop|process|python)_\w+|up\b)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*=\s*"([^"]*)"')
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
EVERYWHERE = ("service", "instance", "job")
"""The label that processes add to all their metrics, and those that Prometheus adds."""
FROM_PROMETHEUS = {"up": ("instance", "job")}
"""What it says itself about each process."""


@cache
def exposed() -> Mapping[str, tuple[str, ...]]:
    """The names that Prometheus sees → their labels."""
    found: dict[str, tuple[str, ...]] = {}
    for package in (SHARED, *PROCESSES):
        for metric in metrics(package):
            [family] = metric.describe()
            for suffix in SUFFIXES[family.type]:
                bucket = ("le",) if suffix == "_bucket" else ()
                found[f"{family.name}{suffix}"] = (*metric._labelnames, *EVERYWHERE, *bucket)
    own = (family for family in REGISTRY.collect() if family.name.startswith(("process_", "python_")))
    return (
        found
        | FROM_PROMETHEUS
        | {sample.name: (*sample.labels, *EVERYWHERE) for family in own for sample in family.samples}
    )


@cache
def values() -> Mapping[str, set[str]]:
    """Label → the values that it can have."""
    codes = {error.code for package in (SHARED, "customer_svc") for error in errors(package)}
    return {
        "dependency": {"database", "kafka"},
        "state": set(OPEN),
        "action": set(get_args(Action)),
        "outcome": {*get_args(Outcome), "done", "known", *OPEN},
        "reason": codes,
    }


def selectors(query: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The metrics that a query asks for, and which labels they must have."""
    for name, matchers in SELECTOR.findall(query):
        yield name, dict(MATCHER.findall(matchers))


def grouped_by(query: str) -> set[str]:
    """The labels that are left in the result of a query."""
    return {label for labels in re.findall(r"by \(([^)]*)\)", query) for label in labels.split(", ")}


def problems(query: str) -> list[str]:
    """What a query asks for, and no process exposes."""
    found, known, wrong = list(selectors(query)), exposed(), []
    for name, matchers in found:
        wrong += [f"no metric {name}"] if name not in known else []
        wrong += [f"{name} has no label {label}" for label in matchers.keys() - set(known.get(name, matchers))]
        wrong += [
            f"{label} is never {value}" for label, value in matchers.items() if value not in values().get(label, ())
        ]
    labels = {label for name, _ in found for label in known.get(name, ())}
    wrong += [f"no label {label}" for label in grouped_by(query) - labels]
    return wrong if found else ["asks for nothing"]
