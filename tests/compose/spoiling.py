"""How to spoil a copy of the files, so that a check has something to find."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.compose.deployment import Deployment

Check = Callable[[Deployment], list[str]]
"""Returns what is wrong."""
Spoil = Callable[[Deployment], None]
Spoiled = Mapping[Check, Sequence[Spoil]]
"""What each check must notice."""


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
