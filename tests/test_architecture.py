"""The house rules that a machine can check: who imports whom, and which rooms a service has."""

from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parents[1]
SERVICES = ["customer_svc", "product_svc", "order_svc", "notifier_svc"]
ROOMS = {"__init__", "main", "worker", "api", "dto", "commands", "queries", "store", "domain", "errors", "settings"}


def test_imports_point_one_way() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    there = {path.stem for path in (ROOT / service).glob("*.py")}
    there |= {path.parent.name for path in (ROOT / service).glob("*/__init__.py")}
    listens = "\nconsumes    nothing\n" not in (ROOT / service / "__init__.py").read_text(encoding="utf-8")
    assert ROOMS | ({"handlers"} if listens else set()) <= there
    assert (ROOT / service / "migrations" / "__main__.py").exists()
