"""Every object is of a kind that has a schema, and fits it: no field is misspelt or of a wrong type."""

import json
from functools import cache
from pathlib import Path

from jsonschema_rs import Draft202012Validator

from schemas.topics import TOPICS
from tests.k8s.corruptions import Corruptions, remove, rename, set_value
from tests.k8s.manifests import Manifests, Object

KINDS = Path(__file__).parent / "kinds"
KAFKA_SCALER = {
    *("bootstrapServers", "consumerGroup", "topic", "lagThreshold", "activationLagThreshold", "offsetResetPolicy"),
    *("allowIdleConsumers", "scaleToZeroOnInvalidOffset", "excludePersistentLag", "limitToPartitionsWithLag"),
    *("version", "partitionLimitation", "sasl", "tls", "ensureEvenDistributionOfPartitions"),
}
"""What KEDA's scaler for Kafka reads of its trigger, which has no schema (https://keda.sh/docs/latest/scalers/apache-kafka)."""


def objects_fit_their_schemas(manifests: Manifests) -> list[str]:
    wrong = []
    for one in manifests.objects:
        name = f"{one['kind']} {one['metadata'].get('name')}"
        if not (KINDS / f"{one['kind']}.json").exists():
            wrong.append(f"{name}: has no schema")
            continue
        wrong += [
            f"{name}: {'.'.join(map(str, error.instance_path))}: {error.message[:200]}"
            for error in _validator(one["kind"]).iter_errors(one)
        ]
    return wrong


@cache
def _validator(kind: str) -> Draft202012Validator:
    schema = _schema(kind)
    # Definitions of other projects leave the metadata to Kubernetes.
    schema["properties"]["metadata"] = _schema("Service")["properties"]["metadata"] | {"required": ["name"]}
    return Draft202012Validator(schema)


def _schema(kind: str) -> Object:
    schema: Object = json.loads((KINDS / f"{kind}.json").read_text())
    return schema


def objects_are_unique(manifests: Manifests) -> list[str]:
    names = [(one["kind"], one["metadata"]["name"]) for one in manifests.objects]
    return [f"{kind} {name}: twice" for kind, name in set(names) if names.count((kind, name)) > 1]


def scalers_ask_for_what_there_is(manifests: Manifests) -> list[str]:
    wrong = []
    for one in manifests.of("ScaledObject"):
        for trigger in one["spec"]["triggers"]:
            asked = trigger["metadata"]
            wrong += [f"{one['metadata']['name']}: KEDA knows no {key}" for key in asked.keys() - KAFKA_SCALER]
            if asked.get("topic") not in TOPICS or trigger["type"] != "kafka":
                wrong.append(f"{one['metadata']['name']}: no topic {asked.get('topic')}")
    return wrong


CONTAINER = "spec template spec containers 0"
CORRUPTIONS: Corruptions = {
    objects_fit_their_schemas: [
        rename("Deployment/order", "spec strategy", "strategi"),
        rename("Deployment/order", f"{CONTAINER} readinessProbe httpGet", "http"),
        rename("Deployment/order", f"{CONTAINER} securityContext readOnlyRootFilesystem", "readOnlyRootFileSystem"),
        set_value("Deployment/order", f"{CONTAINER} env 0 value", 8000),
        set_value("Deployment/order", f"{CONTAINER} ports 0 containerPort", "8000"),
        set_value("Deployment/order", "apiVersion", "apps/v1beta1"),
        rename("StatefulSet/kafka", "spec volumeClaimTemplates", "volumeClaims"),
        rename("Job/topics", "spec backoffLimit", "backofLimit"),
        rename("Service/order", "spec ports 0 targetPort", "target"),
        rename("NetworkPolicy/deny-all", "spec policyTypes", "types"),
        rename("PodDisruptionBudget/order", "spec maxUnavailable", "maxUnavailible"),
        rename("Ingress/shop", "spec rules 0 http paths 0 pathType", "type"),
        set_value("ConfigMap/settings", "data LOG_LEVEL", 1),
        rename("ScaledObject/order-worker", "spec maxReplicaCount", "maxReplicas"),
        set_value("ScaledObject/order-worker", "spec minReplicaCount", "2"),
        rename("TriggerAuthentication/order", "spec secretTargetRef 0 parameter", "param"),
        rename("PodMonitor/shopstream", "spec podMetricsEndpoints", "endpoints"),
        set_value("PodMonitor/shopstream", "spec podMetricsEndpoints 0 interval", "15 seconds"),
        rename("PrometheusRule/shopstream", "spec groups 0 rules 0 expr", "expression"),
        rename("Kafka/shop", "spec kafka listeners", "listener"),
        set_value("Kafka/shop", "spec kafka listeners 0 authentication type", "scram-sha-256"),
        rename("KafkaNodePool/node", "spec replicas", "replcas"),
        set_value("KafkaUser/order-svc", "spec authorization acls 0 operations", ["Publish"]),
        rename("Cluster/order-postgres", "spec bootstrap initdb owner", "user"),
        set_value("Cluster/order-postgres", "spec instances", "three"),
        rename("MongoDBCommunity/product-mongo", "spec users 0 passwordSecretRef", "passwordSecret"),
        remove("Deployment/order", "metadata name"),
    ],
    objects_are_unique: [
        set_value("Service/order", "metadata name", "product"),
    ],
    scalers_ask_for_what_there_is: [
        rename("ScaledObject/order-worker", "spec triggers 0 metadata lagThreshold", "lagTreshold"),
        set_value("ScaledObject/order-worker", "spec triggers 0 metadata topic", "orders"),
    ],
}
