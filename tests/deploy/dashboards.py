"""The dashboards of deploy/observability, and what they ask Prometheus for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "deploy" / "observability" / "grafana" / "dashboards"
DASHBOARDS = sorted(FOLDER.glob("*.json"))


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def queries() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(dashboard, title of the panel, target) of all queries."""
    for path in DASHBOARDS:
        for panel in read(path)["panels"]:
            yield from ((path.stem, panel["title"], target) for target in panel["targets"])
