"""How to corrupt a copy of the manifests, so that a check has something to find."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.k8s.manifests import Manifests

Check = Callable[[Manifests], list[str]]
"""Returns what is wrong."""
Corrupt = Callable[[Manifests], None]
Corruptions = Mapping[Check, Sequence[Corrupt]]
"""What each check must find."""


def set_value(which: str, path: str, value: Any) -> Corrupt:
    """Set a value in an object: ``Kind/name``, then keys and positions, separated by spaces."""

    def corrupt(manifests: Manifests) -> None:
        parent, key = _find(manifests, which, path)
        parent[key] = value

    return corrupt


def remove(which: str, path: str = "") -> Corrupt:
    """Remove a value from an object, or an object."""

    def corrupt(manifests: Manifests) -> None:
        if not path:
            manifests.objects.remove(manifests.get(*which.split("/")))
            return
        parent, key = _find(manifests, which, path)
        del parent[key]

    return corrupt


def rename(which: str, path: str, key: str) -> Corrupt:
    """Misspell a key of an object."""

    def corrupt(manifests: Manifests) -> None:
        parent, old = _find(manifests, which, path)
        parent[key] = parent.pop(old)

    return corrupt


def _find(manifests: Manifests, which: str, path: str) -> tuple[Any, Any]:
    parent: Any = manifests.get(*which.split("/"))
    *keys, last = (int(key) if key.isdigit() else key for key in path.split())
    for key in keys:
        parent = parent[key]
    return parent, last
