"""Who tells each event, and who listens: out of the services' code, not out of what somebody wrote down."""

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
def tellers() -> Mapping[type[Event], tuple[str, ...]]:
    """Event → the services that make one."""
    made = {service: set(_made(service)) for service in SERVICES}
    return {
        event: tuple(service for service in SERVICES if event.__name__ in made[service])
        for event in CATALOGUE.values()
    }


@cache
def listeners() -> Mapping[type[Event], tuple[str, ...]]:
    """Event → the services that have a handler for it."""
    heard: Mapping[str, Collection[type[Event]]] = {
        service: import_module(f"{service}.handlers").HANDLERS for service in SERVICES
    }
    return {event: tuple(service for service in SERVICES if event in heard[service]) for event in CATALOGUE.values()}


def _made(service: str) -> Iterator[str]:
    """The names of all that is called in a service's code: a class, when one is made."""
    for path in (ROOT / service).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                yield node.func.id


def card(service: str, line: str) -> set[str]:
    """The topics that a service's card names under ``publishes`` or ``consumes``."""
    told = import_module(service).__doc__ or ""
    [topics] = re.findall(rf"^{line} +(.*(?:\n  .*)*)", told, re.M)
    return set(re.findall(r"[a-z]+\.events", topics))
