"""The alert rules, for the Prometheus operator: those of ``deploy/alerts``, said there alone."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from deploy.k8s.parts import PART_OF, Object, resource

ALERTS = Path(__file__).parents[1] / "alerts"


def rules() -> Iterator[Object]:
    """Yield one PrometheusRule for each file of rules."""
    for path in sorted(ALERTS.glob("*.yml")):
        groups = yaml.safe_load(path.read_text())["groups"]
        labels = {"app.kubernetes.io/part-of": PART_OF}
        yield resource("PrometheusRule", path.stem, "monitoring.coreos.com/v1", labels) | {"spec": {"groups": groups}}
