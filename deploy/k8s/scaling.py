"""KEDA: as many event processes as their lag asks for, and not more than their topics have partitions."""

from collections.abc import Iterator

from deploy.k8s.parts import KAFKA_CLUSTER, Object, kafka_user, resource
from deploy.resources import Service, System

BOOTSTRAP = f"{KAFKA_CLUSTER}-kafka-bootstrap:9093"
FEWEST = 2
"""So that the partitions of one that ends are taken over within seconds."""
LAG_OF_ONE = 5000
"""Events that one process may be behind: seconds of work (see docs/concepts/performance.md)."""
PRINCIPALS = "kafka-principals"
"""The names of the users, which KEDA cannot read from their Secrets."""


def scaled_objects(system: System) -> Iterator[Object]:
    """Yield what scales each event process, as the user of its service."""
    names = {service.name: kafka_user(service.package) for service in system.services}
    yield {**resource("ConfigMap", PRINCIPALS), "data": names}
    for service in system.services:
        yield resource("TriggerAuthentication", service.name, "keda.sh/v1alpha1") | {"spec": _credentials(service)}
        most = min(topic.partitions for topic in system.topics if topic.name in service.consumes)
        worker = system.event_process(service).name
        yield resource("ScaledObject", worker, "keda.sh/v1alpha1") | {
            "spec": {
                "scaleTargetRef": {"name": worker},
                "minReplicaCount": FEWEST,
                "maxReplicaCount": most,
                "pollingInterval": 15,
                # A new member stops the whole group for a moment: not for a peak that is over soon.
                "advanced": {
                    "horizontalPodAutoscalerConfig": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 600}}}
                },
                "fallback": {"failureThreshold": 4, "replicas": FEWEST},
                "triggers": [_trigger(service, topic) for topic in service.consumes],
            }
        }


def _credentials(service: Service) -> Object:
    user, authority = kafka_user(service.package), f"{KAFKA_CLUSTER}-cluster-ca-cert"
    return {
        "configMapTargetRef": [{"parameter": "username", "name": PRINCIPALS, "key": service.name}],
        "secretTargetRef": [
            {"parameter": "password", "name": user, "key": "password"},
            {"parameter": "ca", "name": authority, "key": "ca.crt"},
        ],
    }


def _trigger(service: Service, topic: str) -> Object:
    return {
        "type": "kafka",
        "metadata": {
            "bootstrapServers": BOOTSTRAP,
            "consumerGroup": service.package,
            "topic": topic,
            "lagThreshold": str(LAG_OF_ONE),
            "offsetResetPolicy": "earliest",
            "sasl": "scram_sha512",
            "tls": "enable",
        },
        "authenticationRef": {"name": service.name},
    }
