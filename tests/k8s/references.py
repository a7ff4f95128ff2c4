"""What an object names exists: accounts, volumes, ports, pods, workloads, users."""

from collections.abc import Iterator, Mapping
from typing import Any

from deploy.k8s.parts import KAFKA_CLUSTER
from tests.k8s.corruptions import Corruptions, remove, set_value
from tests.k8s.manifests import Manifests, Object

PODS_OF_OPERATORS = ("Kafka", "Cluster", "MongoDBCommunity")


def pods_have_what_they_name(manifests: Manifests) -> list[str]:
    wrong = []
    for name, template in manifests.pods:
        spec = template["spec"]
        account = spec.get("serviceAccountName")
        if account and ("ServiceAccount", account) not in manifests.names:
            wrong.append(f"{name}: no ServiceAccount {account}")
        volumes = {one["name"] for one in spec.get("volumes", ())} | set(_claimed(manifests, name))
        for container in spec["containers"]:
            wrong += [
                f"{name}: no volume {mount['name']}"
                for mount in container.get("volumeMounts", ())
                if mount["name"] not in volumes
            ]
            wrong += [f"{name}: probes port {port}" for port in _probed(container) - _ports(container)]
    for one in manifests.of("StatefulSet"):
        if ("Service", one["spec"]["serviceName"]) not in manifests.names:
            wrong.append(f"{one['metadata']['name']}: no Service {one['spec']['serviceName']}")
    return wrong


def _claimed(manifests: Manifests, name: str) -> Iterator[str]:
    for one in manifests.of("StatefulSet"):
        if one["metadata"]["name"] == name:
            yield from (claim["metadata"]["name"] for claim in one["spec"]["volumeClaimTemplates"])


def _probed(container: Object) -> set[Any]:
    probes = [container.get(kind, {}) for kind in ("startupProbe", "readinessProbe", "livenessProbe")]
    return {probe[how]["port"] for probe in probes for how in ("httpGet", "tcpSocket") if how in probe}


def _ports(container: Object) -> set[Any]:
    return {one["name"] for one in container.get("ports", ())}


def selectors_find_pods(manifests: Manifests) -> list[str]:
    """Of Services, budgets, policies, monitors and of the workloads themselves."""
    labels = [template["metadata"]["labels"] for _, template in manifests.pods]
    # Pods that operators make: these are the labels that the policies may name.
    for one in manifests.of(*PODS_OF_OPERATORS):
        name = one["metadata"]["name"]
        labels += [{"strimzi.io/cluster": name, "strimzi.io/kind": "Kafka"}] if one["kind"] == "Kafka" else []
        labels += [{"cnpg.io/cluster": name}] if one["kind"] == "Cluster" else []
        labels += [{"app": f"{name}-svc"}] if one["kind"] == "MongoDBCommunity" else []
    return [
        f"{user}: no pod has {wanted}"
        for user, wanted in _selectors(manifests)
        if not any(wanted.items() <= one.items() for one in labels)
    ]


def _selectors(manifests: Manifests) -> Iterator[tuple[str, Mapping[str, str]]]:
    for one in manifests.objects:
        user, spec = f"{one['kind']} {one['metadata']['name']}", one.get("spec", {})
        if one["kind"] == "Service":
            yield user, spec["selector"]
        elif "selector" in spec:
            yield user, spec["selector"]["matchLabels"]
        if "template" in spec and "topologySpreadConstraints" in spec["template"]["spec"]:
            for spread in spec["template"]["spec"]["topologySpreadConstraints"]:
                yield user, spread["labelSelector"]["matchLabels"]
        if one["kind"] == "NetworkPolicy":
            yield user, spec["podSelector"].get("matchLabels", {})
            for rule in (*spec.get("ingress", ()), *spec.get("egress", ())):
                for peer in (*rule.get("from", ()), *rule.get("to", ())):
                    if "namespaceSelector" not in peer:
                        yield user, peer["podSelector"]["matchLabels"]


def workloads_own_their_pods(manifests: Manifests) -> list[str]:
    wrong = []
    for one in manifests.of("Deployment", "StatefulSet"):
        name, labels = one["metadata"]["name"], one["spec"]["template"]["metadata"]["labels"]
        if not one["spec"]["selector"]["matchLabels"].items() <= labels.items():
            wrong.append(f"{name}: selects pods that it does not make")
        others = [template["metadata"]["labels"] for other, template in manifests.pods if other != name]
        wrong += [f"{name}: selects pods of another" for labels in others if _selects(one, labels)]
    return wrong


def _selects(one: Object, labels: Mapping[str, str]) -> bool:
    wanted: Mapping[str, str] = one["spec"]["selector"]["matchLabels"]
    return wanted.items() <= labels.items()


def ports_exist(manifests: Manifests) -> list[str]:
    """Of Services in their pods, and of the gateway and the monitor."""
    wrong = []
    for one in manifests.of("Service"):
        for port in one["spec"]["ports"]:
            if port["targetPort"] not in _open(manifests, one["spec"]["selector"]):
                wrong.append(f"Service {one['metadata']['name']}: no port {port['targetPort']}")
    services = {
        one["metadata"]["name"]: {port["name"] for port in one["spec"]["ports"]} for one in manifests.of("Service")
    }
    for one in manifests.of("Ingress"):
        for rule in one["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                if backend["port"]["name"] not in services.get(backend["name"], ()):
                    wrong.append(f"Ingress {path['path']}: no {backend}")
    for one in manifests.of("PodMonitor"):
        for endpoint in one["spec"]["podMetricsEndpoints"]:
            if endpoint["port"] not in _open(manifests, one["spec"]["selector"]["matchLabels"]):
                wrong.append(f"PodMonitor: no port {endpoint['port']}")
    return wrong


def _open(manifests: Manifests, selector: Mapping[str, str]) -> set[Any]:
    """The ports that all pods with these labels have, but for those of jobs, which have none."""
    found = [
        {name for container in template["spec"]["containers"] for name in _ports(container)}
        for _, template in manifests.pods
        if selector.items() <= template["metadata"]["labels"].items()
        and template["spec"].get("restartPolicy") is None
    ]
    return set.intersection(*found) if found else set()


def scalers_exist(manifests: Manifests) -> list[str]:
    wrong = []
    for one in manifests.of("ScaledObject"):
        name, spec = one["metadata"]["name"], one["spec"]
        if ("Deployment", spec["scaleTargetRef"]["name"]) not in manifests.names:
            wrong.append(f"ScaledObject {name}: no Deployment {spec['scaleTargetRef']['name']}")
        elif "replicas" in manifests.get("Deployment", spec["scaleTargetRef"]["name"])["spec"]:
            wrong.append(f"ScaledObject {name}: its Deployment has a number of its own")
        for trigger in spec["triggers"]:
            if ("TriggerAuthentication", trigger["authenticationRef"]["name"]) not in manifests.names:
                wrong.append(f"ScaledObject {name}: no TriggerAuthentication")
    return wrong


def clusters_exist(manifests: Manifests) -> list[str]:
    """Strimzi finds users and nodes by a label, and clients find the brokers by a name made from the cluster's."""
    known = {one["metadata"]["name"] for one in manifests.of("Kafka")}
    wrong = []
    for one in manifests.of("KafkaUser", "KafkaNodePool"):
        if one["metadata"]["labels"].get("strimzi.io/cluster") not in known:
            wrong.append(f"{one['kind']} {one['metadata']['name']}: belongs to no Kafka")
    if manifests.overlay == "production":
        servers = [one["data"].get("KAFKA_BOOTSTRAP_SERVERS", "") for one in manifests.of("ConfigMap")]
        servers += [
            trigger["metadata"]["bootstrapServers"]
            for one in manifests.of("ScaledObject")
            for trigger in one["spec"]["triggers"]
        ]
        wanted = f"{KAFKA_CLUSTER}-kafka-bootstrap:9093"
        wrong += [f"no brokers at {one}" for one in servers if one and one.rpartition("@")[2] != wanted]
    return wrong


CORRUPTIONS: Corruptions = {
    pods_have_what_they_name: [
        remove("ServiceAccount/order"),
        set_value("Deployment/order", "spec template spec containers 0 volumeMounts 0 name", "temp"),
        set_value("Deployment/order", "spec template spec containers 0 readinessProbe httpGet port", "web"),
        remove("Service/mongo"),
    ],
    selectors_find_pods: [
        set_value("Service/order", "spec selector", {"app.kubernetes.io/name": "orders"}),
        set_value("PodDisruptionBudget/order", "spec selector matchLabels", {"app": "order"}),
        set_value("NetworkPolicy/order-stores", "spec podSelector matchLabels", {"app": "order"}),
        set_value("NetworkPolicy/order-worker-stores", "spec egress 0 to 0 podSelector matchLabels", {"app": "x"}),
        remove("Deployment/order"),
        set_value("PodMonitor/shopstream", "spec selector matchLabels", {"app": "shopstream"}),
    ],
    workloads_own_their_pods: [
        set_value("Deployment/order", "spec selector matchLabels", {"app.kubernetes.io/name": "order-worker"}),
        set_value("Deployment/order", "spec selector matchLabels", {"app.kubernetes.io/part-of": "shopstream"}),
    ],
    ports_exist: [
        set_value("Service/order", "spec ports 0 targetPort", "web"),
        set_value("Deployment/order", "spec template spec containers 0 ports 0 name", "web"),
        set_value("Ingress/shop", "spec rules 0 http paths 0 backend service name", "customers"),
        set_value("PodMonitor/shopstream", "spec podMetricsEndpoints 0 port", "http"),
    ],
    scalers_exist: [
        set_value("ScaledObject/order-worker", "spec scaleTargetRef name", "orders"),
        set_value("Deployment/order-worker", "spec replicas", 2),
        remove("TriggerAuthentication/order"),
    ],
    clusters_exist: [
        set_value("KafkaUser/order-svc", "metadata labels", {"strimzi.io/cluster": "kafka"}),
        set_value("Kafka/shop", "metadata name", "kafka"),
        set_value("ConfigMap/order-settings", "data KAFKA_BOOTSTRAP_SERVERS", "SASL_SSL://order-svc@kafka:9093"),
        set_value("ScaledObject/order-worker", "spec triggers 0 metadata bootstrapServers", "kafka:9092"),
    ],
}
