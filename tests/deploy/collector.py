"""What is wrong with the configuration of an OpenTelemetry collector, of which Jaeger is one: names and order."""

from collections.abc import Iterator, Mapping
from typing import Any

Config = Mapping[str, Any]

DISTRIBUTIONS = {
    "collector": {
        "receivers": {"otlp"},
        "processors": {"memory_limiter", "batch"},
        "exporters": {"otlp_grpc", "otlp_http", "debug"},
        "extensions": {"health_check", "zpages"},
    },
    "jaeger": {
        "receivers": {"otlp"},
        "processors": {"memory_limiter", "batch"},
        "exporters": {"jaeger_storage_exporter", "otlp_grpc", "otlp_http", "debug"},
        "extensions": {"jaeger_storage", "jaeger_query", "healthcheckv2"},
    },
}
"""Some of the components that the images of compose.yaml have: otelcol 0.159.0 and Jaeger 2.20.0, by container."""
SECTIONS = ("receivers", "processors", "exporters")


def problems(container: str, config: Config) -> list[str]:
    """What refers to nothing, what nothing refers to, and what the image does not have."""
    return [*_unknown(container, config), *_references(config), *_order(container, config), *_stores(config)]


def _unknown(container: str, config: Config) -> Iterator[str]:
    for section, known in DISTRIBUTIONS[container].items():
        for name in config.get(section, {}):
            if name.partition("/")[0] not in known:
                yield f"{section}: the image has no {name}"


def _references(config: Config) -> Iterator[str]:
    pipelines = config["service"]["pipelines"]
    for section in SECTIONS:
        used = {name for pipeline in pipelines.values() for name in pipeline.get(section, [])}
        yield from _difference(section, set(config.get(section, {})), used)
    started = set(config["service"].get("extensions", []))
    yield from _difference("extensions", set(config.get("extensions", {})), started)
    for name, pipeline in pipelines.items():
        for section in ("receivers", "exporters"):
            if not pipeline.get(section):
                yield f"pipeline {name}: no {section}"


def _difference(section: str, declared: set[str], used: set[str]) -> Iterator[str]:
    yield from (f"{section}: {name} is not declared" for name in sorted(used - declared))
    yield from (f"{section}: {name} is declared and not used" for name in sorted(declared - used))


def _order(container: str, config: Config) -> Iterator[str]:
    """Memory is limited before anything is kept, and what is handed on is batched last."""
    wanted = ["memory_limiter", "batch"] if container == "collector" else ["batch"]
    for name, pipeline in config["service"]["pipelines"].items():
        if pipeline.get("processors", []) != wanted:
            yield f"pipeline {name}: processors are not {wanted}"


def _stores(config: Config) -> Iterator[str]:
    """The stores that Jaeger writes to and reads from are declared."""
    extensions = config.get("extensions", {})
    declared = set(extensions.get("jaeger_storage", {}).get("backends", {}))
    written = {one["trace_storage"] for one in config["exporters"].values() if one and "trace_storage" in one}
    read = set(extensions.get("jaeger_query", {}).get("storage", {}).values())
    if written != declared or read != declared:
        yield f"stores: declared {sorted(declared)}, written {sorted(written)}, read {sorted(read)}"


def listening(config: Config) -> set[int]:
    """The ports on which it listens for other containers: for spans, for people and for Prometheus."""
    endpoints = [one["endpoint"] for one in config["receivers"]["otlp"]["protocols"].values()]
    queries = config.get("extensions", {}).get("jaeger_query", {})
    endpoints += [one["endpoint"] for one in queries.values() if "endpoint" in one]
    readers = config["service"]["telemetry"]["metrics"]["readers"]
    exporters = [one["pull"]["exporter"]["prometheus"] for one in readers]
    endpoints += [f"{one['host']}:{one['port']}" for one in exporters]
    return {int(port) for host, _, port in (one.rpartition(":") for one in endpoints) if host == "0.0.0.0"}
