"""Where the servers run: which pods the programs connect to, in each overlay."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.k8s.parts import KAFKA_CLUSTER, selector
from deploy.k8s.secrets import postgres_cluster
from deploy.resources import DatabaseUrl, Program, Server
from deploy.system import KAFKA, MAIL, MONGO, PRODUCT, SERVICES


@dataclass(frozen=True)
class Store:
    """A server: the labels of its pods, and its ports. Without labels it is outside the cluster."""

    name: str
    labels: Mapping[str, str]
    ports: tuple[int, ...]


Stores = Mapping[str, Store]
"""By server; those of databases by the database."""

_POSTGRES = Store("postgres", selector("postgres"), (5432,))

DEVELOPMENT: Stores = {
    KAFKA.name: Store("kafka", selector("kafka"), (9092,)),
    MAIL.name: Store("mailpit", selector("mailpit"), (1025,)),
    **{one.package: _POSTGRES for one in SERVICES if one is not PRODUCT},
    PRODUCT.package: Store("mongo", selector("mongo"), (27017,)),
}
"""Servers of one pod each, in ``overlays/development/servers.yaml``."""


def _cloud_native(database: str) -> Store:
    cluster = postgres_cluster(database)
    return Store(cluster, {"cnpg.io/cluster": cluster}, (5432,))


PRODUCTION: Stores = {
    KAFKA.name: Store("kafka", {"strimzi.io/cluster": KAFKA_CLUSTER, "strimzi.io/kind": "Kafka"}, (9093,)),
    MAIL.name: Store("mail", {}, (465, 587)),
    **{one.package: _cloud_native(one.package) for one in SERVICES if one.database is not MONGO},
    PRODUCT.package: Store("product-mongo", {"app": "product-mongo-svc"}, (27017,)),
}
"""The pods that the operators make, as these label them."""


def stores_of(program: Program, stores: Stores) -> list[Store]:
    """Return the servers that a program connects to."""
    return [stores[_key(program, server)] for server in program.connects_to]


def _key(program: Program, server: Server) -> str:
    for source in program.settings.values():
        if isinstance(source, DatabaseUrl) and source.server is server:
            return source.database
    return server.name
