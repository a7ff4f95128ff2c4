"""How to corrupt a copy of the files, so that a check has something to find."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.compose.deployment import Deployment

Check = Callable[[Deployment], list[str]]
"""Returns what is wrong."""
Corrupt = Callable[[Deployment], None]
Corruptions = Mapping[Check, Sequence[Corrupt]]
"""What each check must find."""


def set_value(path: str, value: Any) -> Corrupt:
    """Set a value in the containers of compose.yaml."""

    def corrupt(deployment: Deployment) -> None:
        parent, key = _find(deployment, path)
        parent[key] = value

    return corrupt


def remove(path: str) -> Corrupt:
    """Remove a value from the containers of compose.yaml."""

    def corrupt(deployment: Deployment) -> None:
        parent, key = _find(deployment, path)
        del parent[key]

    return corrupt


def _find(deployment: Deployment, path: str) -> tuple[Any, str]:
    *keys, last = path.split("/")
    parent = deployment.compose["services"]
    for key in keys:
        parent = parent[key]
    return parent, last


def replace_text(file: str, old: str, new: str) -> Corrupt:
    """Replace text in a file other than compose.yaml."""

    def corrupt(deployment: Deployment) -> None:
        text = getattr(deployment, file)
        assert old in text
        setattr(deployment, file, text.replace(old, new))

    return corrupt


def set_example(name: str, value: str | None) -> Corrupt:
    """Set or remove a variable of env.example."""

    def corrupt(deployment: Deployment) -> None:
        deployment.env.pop(name, None)
        deployment.env |= {} if value is None else {name: value}

    return corrupt
