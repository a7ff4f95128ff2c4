"""Which services publish and consume each event, according to their code."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

from schemas import CATALOGUE, Event

ROOT = Path(__file__).parents[2]
SERVICES = ("customer_svc", "product_svc", "order_svc", "notifier_svc")


@cache
def publishers() -> Mapping[type[Event], tuple[str, ...]]:
    """Event → the services that create it."""
    created = {service: set(_called(service)) for service in SERVICES}
    return {
        event: tuple(service for service in SERVICES if event.__name__ in created[service])
        for event in CATALOGUE.values()
    }


@cache
def consumers() -> Mapping[type[Event], tuple[str, ...]]:
    """Event → the services that have a handler for it."""
    handled: Mapping[str, Collection[type[Event]]] = {
        service: import_module(f"{service}.handlers").HANDLERS for service in SERVICES
    }
    return {
        event: tuple(service for service in SERVICES if event in handled[service]) for event in CATALOGUE.values()
    }


def _called(service: str) -> Iterator[str]:
    """The names that are called in a service's code, which include the classes of the events that it creates."""
    for path in (ROOT / service).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id


def declared_topics(service: str, verb: str) -> set[str]:
    """The topics that the docstring of a service names under ``publishes`` or ``consumes``."""
    docstring = import_module(service).__doc__ or ""
    [topics] = re.findall(rf"^{verb} +(.*(?:\n  .*)*)", docstring, re.M)
    return set(re.findall(r"[a-z]+\.events", topics))
