"""What pods are given exists: Secrets and their keys, and ConfigMaps."""

from collections.abc import Iterator, Mapping

from tests.k8s.corruptions import Corruptions, remove, set_value
from tests.k8s.manifests import Manifests

PROVIDED: Mapping[str, Mapping[str, set[str]]] = {
    "development": {"jwt": {"jwt.pem"}},
    "production": {
        "jwt": {"jwt.pem"},
        "link-key": {"link-key"},
        "mail": {"url"},
        "product-mongo-password": {"password"},
        "shop-tls": {"tls.crt", "tls.key"},
    },
}
"""Secrets that are in no file: who installs makes them, as docs/how-to/deploy-on-kubernetes.md says."""


def secrets(manifests: Manifests) -> dict[str, set[str]]:
    """The keys of every Secret: of those in the files, those that operators write, and those that are provided."""
    known = {one["metadata"]["name"]: set(one["stringData"]) for one in manifests.of("Secret")}
    for name in (one["metadata"]["name"] for one in manifests.of("KafkaUser")):
        known[name] = {"password", "sasl.jaas.config"}
    for name in (one["metadata"]["name"] for one in manifests.of("Kafka")):
        known[f"{name}-cluster-ca-cert"] = {"ca.crt", "ca.p12", "ca.password"}
    for name in (one["metadata"]["name"] for one in manifests.of("Cluster")):
        known[f"{name}-app"] = {"uri", "username", "password", "dbname", "host", "port"}
        known[f"{name}-ca"] = {"ca.crt"}
    for one in manifests.of("MongoDBCommunity"):
        for user in one["spec"]["users"]:
            known[user["connectionStringSecretName"]] = {"connectionString.standard", "connectionString.standardSrv"}
    return known | {name: set(keys) for name, keys in PROVIDED[manifests.overlay].items()}


def secrets_exist(manifests: Manifests) -> list[str]:
    known, wrong = secrets(manifests), []
    for user, name, key, optional in _wanted_secrets(manifests):
        # Certificates of authorities that only the operators' servers have.
        if name not in known:
            wrong += [] if optional and manifests.overlay == "development" else [f"{user}: no Secret {name}"]
        elif key and key not in known[name]:
            wrong.append(f"{user}: Secret {name} has no {key}")
    return wrong


def _wanted_secrets(manifests: Manifests) -> Iterator[tuple[str, str, str, bool]]:
    for name, template in manifests.pods:
        for volume in template["spec"].get("volumes", ()):
            for source in volume.get("projected", {}).get("sources", ()):
                one = source["secret"]
                for item in one["items"]:
                    yield name, one["name"], item["key"], one.get("optional", False)
            if "secret" in volume:
                yield name, volume["secret"]["secretName"], "", False
        for container in template["spec"]["containers"]:
            for source in container.get("envFrom", ()):
                if "secretRef" in source:
                    yield name, source["secretRef"]["name"], "", False
    for one in manifests.of("TriggerAuthentication"):
        for target in one["spec"]["secretTargetRef"]:
            yield one["metadata"]["name"], target["name"], target["key"], False
    for one in manifests.of("MongoDBCommunity"):
        for user in one["spec"]["users"]:
            yield user["name"], user["passwordSecretRef"]["name"], "password", False
    for one in manifests.of("Ingress"):
        for tls in one["spec"]["tls"]:
            yield one["metadata"]["name"], tls["secretName"], "tls.key", False


def config_maps_exist(manifests: Manifests) -> list[str]:
    known = {one["metadata"]["name"]: set(one["data"]) for one in manifests.of("ConfigMap")}
    wrong, used = [], set()
    for user, name, keys in _wanted_config_maps(manifests):
        used.add(name)
        if name not in known:
            wrong.append(f"{user}: no ConfigMap {name}")
        else:
            wrong += [f"{user}: ConfigMap {name} has no {key}" for key in keys - known[name]]
    return wrong + [f"nobody uses ConfigMap {name}" for name in known.keys() - used]


def _wanted_config_maps(manifests: Manifests) -> Iterator[tuple[str, str, set[str]]]:
    for name, template in manifests.pods:
        for container in template["spec"]["containers"]:
            for source in container.get("envFrom", ()):
                if "configMapRef" in source:
                    yield name, source["configMapRef"]["name"], set()
        for volume in template["spec"].get("volumes", ()):
            if one := volume.get("configMap"):
                yield name, one["name"], {item["key"] for item in one.get("items", ())}
    for one in manifests.of("TriggerAuthentication"):
        for target in one["spec"]["configMapTargetRef"]:
            yield one["metadata"]["name"], target["name"], {target["key"]}


CORRUPTIONS: Corruptions = {
    secrets_exist: [
        remove("KafkaUser/order-svc"),
        remove("Cluster/order-postgres"),
        set_value("Deployment/order", "spec template spec volumes 1 projected sources 0 secret name", "orders"),
        set_value("Deployment/order", "spec template spec volumes 1 projected sources 0 secret items 0 key", "url"),
        set_value("TriggerAuthentication/order", "spec secretTargetRef 0 name", "orders"),
        set_value("StatefulSet/kafka", "spec template spec volumes 1 secret secretName", "passwords"),
        set_value("Ingress/shop", "spec tls 0 secretName", "tls"),
    ],
    config_maps_exist: [
        remove("ConfigMap/order-settings"),
        set_value("Deployment/order", "spec template spec containers 0 envFrom 1 configMapRef name", "order"),
        set_value("TriggerAuthentication/order", "spec configMapTargetRef 0 key", "orders"),
        set_value("StatefulSet/mongo", "spec template spec volumes 1 configMap items 0 key", "user.js"),
    ],
}
