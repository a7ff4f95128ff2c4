"""What ``/metrics`` shows: the metrics of this process, each with the service that it belongs to."""

import platform
from collections.abc import Iterator

from prometheus_client import REGISTRY, Metric, generate_latest
from prometheus_client.registry import Collector

from chassis.runtime.telemetry import BUILD

VERSION = "0.2.0"
"""As in pyproject.toml, which the image does not contain."""


class OfService(Collector):
    """The metrics of the registry with the label ``service``: Prometheus need not be configured to add it."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Yield them."""
        for metric in REGISTRY.collect():
            labelled = Metric(metric.name, metric.documentation, metric.type, metric.unit)
            labelled.samples = [
                one._replace(labels={**one.labels, "service": self._service}) for one in metric.samples
            ]
            yield labelled


def exposition(service: str) -> bytes:
    """Return the metrics as Prometheus reads them."""
    BUILD.labels(VERSION, platform.python_version()).set(1)
    return generate_latest(OfService(service))
