"""The scripts that start the servers of compose.yaml, for those of the development overlay.

kustomize reads no files outside its own folder.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.k8s.parts import Object, resource

DEPLOY = Path(__file__).parents[1]
SCRIPTS: Mapping[str, tuple[str, ...]] = {
    "kafka-scripts": ("compose/kafka.sh", "local/kafka.properties", "local/kafka-log4j2.properties"),
    "postgres-scripts": ("compose/postgres-init.sh",),
    "mongo-scripts": ("compose/mongo.sh", "compose/mongo-primary.js", "compose/mongo-users.js"),
}


def config_maps() -> Iterator[Object]:
    """Yield a ConfigMap for each server."""
    for name, paths in SCRIPTS.items():
        data = {Path(path).name: (DEPLOY / path).read_text() for path in paths}
        yield {**resource("ConfigMap", name), "data": data}
