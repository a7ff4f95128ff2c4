"""The collector and the trace store of compose.yaml: their configurations fit together, and spans get to them.

What refuses a setting that does not exist is the programs themselves, which are not here.
"""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from deploy.system import SYSTEM
from tests.compose.deployment import ROOT, Deployment, mounts, read_deployment
from tests.deploy.collector import DISTRIBUTIONS, listening, problems

FOLDER = ROOT / "deploy" / "observability"


def read(container: str) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((FOLDER / f"{container}.yml").read_text())
    return config


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return read_deployment(tmp_path / "none")


@pytest.mark.parametrize("container", DISTRIBUTIONS)
def test_a_configuration_refers_only_to_what_it_declares(container: str) -> None:
    assert problems(container, read(container)) == []


def change(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def corrupt(config: dict[str, Any]) -> None:
        *keys, last = path
        for key in keys:
            config = config[key]
        config[last] = to

    return corrupt


TRACES = ("service", "pipelines", "traces")
CORRUPTIONS = [
    ("collector", change("receivers", "zipkin", to={})),
    ("collector", change("receivers", "kinesis", to={})),
    ("collector", change(*TRACES, "receivers", to=["otlp/other"])),
    ("collector", change(*TRACES, "exporters", to=[])),
    ("collector", change(*TRACES, "exporters", to=["otlp_grpc/stores"])),
    ("collector", change(*TRACES, "processors", to=["batch", "memory_limiter"])),
    ("collector", change(*TRACES, "processors", to=["batch"])),
    ("collector", change("service", "extensions", to=["health_check"])),
    ("jaeger", change("extensions", "jaeger_storage", "backends", to={"others": {"memory": {}}})),
    ("jaeger", change("extensions", "jaeger_query", "storage", to={"traces": "oldest"})),
    ("jaeger", change("exporters", "jaeger_storage_exporter", "trace_storage", to="oldest")),
    ("jaeger", change("service", "extensions", to=["jaeger_storage"])),
]


@pytest.mark.parametrize(("container", "corrupt"), CORRUPTIONS)
def test_a_configuration_that_refers_to_something_else_is_found(
    container: str, corrupt: Callable[[dict[str, Any]], None]
) -> None:
    config = copy.deepcopy(read(container))
    corrupt(config)
    assert problems(container, config)


@pytest.mark.parametrize("container", DISTRIBUTIONS)
def test_a_container_reads_the_configuration_that_is_mounted(container: str, deployment: Deployment) -> None:
    service = deployment.services[container]
    [option] = service["command"]
    assert mounts(service)[option.removeprefix("--config=")] == f"./deploy/observability/{container}.yml"
    assert service["profiles"] == ["observability"]


def test_spans_get_from_every_process_to_the_store_and_from_there_to_people(deployment: Deployment) -> None:
    """The address that env.example shows is the collector's, in a network of every process; so is what follows."""
    [shown] = set(re.findall(r"http://collector:\d+", (ROOT / "deploy/compose/env.example").read_text()))
    services = deployment.services

    def networks(name: str) -> set[str]:
        return set(services[name]["networks"])

    assert urlsplit(shown).port in listening(read("collector"))
    for program in SYSTEM.all_processes:
        assert networks(program.name) & networks("collector"), program.name
        assert services[program.name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == ""
    [exporter] = read("collector")["exporters"].values()
    store, _, port = exporter["endpoint"].partition(":")
    assert int(port) in listening(read(store))
    assert networks(store) & networks("collector")
    [published] = services[store]["ports"]
    assert int(published.rpartition(":")[2]) in listening(read(store))
    sources = yaml.safe_load((FOLDER / "grafana" / "datasources.yml").read_text())["datasources"]
    [traces] = [urlsplit(source["url"]) for source in sources if source["type"] == "jaeger"]
    assert (traces.hostname, traces.port in listening(read(store))) == (store, True)
    assert networks(store) & networks("grafana")


def test_every_process_gets_the_settings_of_spans_from_one_place(deployment: Deployment) -> None:
    names = [name for name in SYSTEM.process_settings if name.startswith("OTEL_")]
    [shared] = [one for key, one in deployment.compose.items() if key.startswith("x-") and names[0] in one]
    assert {name for name in shared if name.startswith("OTEL_")} == set(names)


def test_prometheus_scrapes_the_collector_and_the_store(deployment: Deployment) -> None:
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    [job] = [one for one in jobs if one["job_name"] == "telemetry"]
    [static] = job["static_configs"]
    assert {one.partition(":")[0] for one in static["targets"]} == set(DISTRIBUTIONS)
    for target in static["targets"]:
        name, _, port = target.partition(":")
        assert int(port) in listening(read(name))
        assert set(deployment.services[name]["networks"]) & set(deployment.services["prometheus"]["networks"])
