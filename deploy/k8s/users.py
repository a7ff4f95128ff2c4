"""Kafka's users and what they may do, for Strimzi: the grants of ``deploy/access.py``."""

from collections.abc import Iterator

from deploy.access import Grant, Operation, Resource, grants, principals
from deploy.k8s.parts import KAFKA_CLUSTER, Object, kafka_user, resource
from deploy.k8s.secrets import ADMIN
from deploy.resources import System

OPERATIONS = {
    Operation.READ: ("Read", "Describe"),
    Operation.WRITE: ("Write", "Describe"),
    Operation.DESCRIBE: ("Describe",),
}
KINDS = {Resource.TOPIC: "topic", Resource.GROUP: "group"}


def kafka_users(system: System) -> Iterator[Object]:
    """Yield a user for each principal, and the one who creates topics."""
    for principal in principals(system):
        acls = [_acl(grant) for grant in grants(system) if grant.principal == principal]
        yield _user(kafka_user(principal), acls)
    every_topic = {"type": "topic", "name": "*", "patternType": "literal"}
    yield _user(ADMIN, [{"resource": every_topic, "operations": ["Create", "Describe", "DescribeConfigs"]}])


def _user(name: str, acls: list[Object]) -> Object:
    labels = {"strimzi.io/cluster": KAFKA_CLUSTER}
    return resource("KafkaUser", name, "kafka.strimzi.io/v1", labels) | {
        "spec": {
            "authentication": {"type": "scram-sha-512"},
            "authorization": {"type": "simple", "acls": acls},
        }
    }


def _acl(grant: Grant) -> Object:
    named = {"type": KINDS[grant.resource], "name": grant.name or "*", "patternType": "literal"}
    return {"resource": named, "operations": list(OPERATIONS[grant.operation])}
