"""The layers of each service in docs/concepts/architecture.md, filled in from the import-linter contracts."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from tests.contracts.event_flow import ROOT, SERVICES

PAGE = ROOT / "docs" / "concepts" / "architecture.md"
NONE = "No contract in `pyproject.toml` orders the nouns of this service yet."


def page() -> str:
    """The page as it is, with the layers between the marks of each service."""
    text = PAGE.read_text(encoding="utf-8")
    for service in SERVICES:
        begin, end = f"<!-- layers:{service}:begin -->", f"<!-- layers:{service}:end -->"
        assert begin in text, f"{PAGE.name} has no place for the layers of {service}"
        text = re.sub(f"{begin}.*{end}", f"{begin}\n{_shown(service)}\n{end}", text, flags=re.DOTALL)
    return text


def layers(service: str, contracts: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """The nouns of a service, highest layer first; those of one layer do not import each other."""
    found = [layer for contract in contracts if _is_about(service, contract) for layer in contract["layers"]]
    return [[name.strip("() ").removeprefix(f"{service}.") for name in re.split("[|:]", layer)] for layer in found]


def _is_about(service: str, contract: Mapping[str, Any]) -> bool:
    if contract["type"] != "layers":
        return False
    return service in contract.get("containers", ()) or all(f"{service}." in layer for layer in contract["layers"])


def _shown(service: str) -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rows = [" · ".join(names) for names in layers(service, project["tool"]["importlinter"]["contracts"])]
    return "\n".join(["```", *rows, "```"]) if rows else NONE
