"""Who reaches whom: what the system map says that a program connects to, what the gateway shows, and nothing else."""

from collections.abc import Iterator, Mapping

from deploy.k8s.network import GATEWAY, MONITORING
from deploy.k8s.parts import HTTP_PORT, METRICS_PORT
from deploy.k8s.stores import DEVELOPMENT, PRODUCTION, Stores, stores_of
from deploy.resources import RestUrl
from deploy.system import SYSTEM
from tests.contracts.guards import GUARDS, PAGES
from tests.k8s.corruptions import Corruptions, remove, set_value
from tests.k8s.manifests import Manifests, Object
from tests.k8s.programs import PROGRAMS

STORES: Mapping[str, Stores] = {"development": DEVELOPMENT, "production": PRODUCTION}
NOT_FOR_CLIENTS = ("/health/", "/v1/ops/", "/.well-known/")
Labels = Mapping[str, str]


def everything_is_denied_first(manifests: Manifests) -> list[str]:
    for one in manifests.of("NetworkPolicy"):
        spec = one["spec"]
        if spec["podSelector"] == {} and not spec.get("ingress") and not spec.get("egress"):
            return [] if set(spec["policyTypes"]) == {"Ingress", "Egress"} else ["not in both directions"]
    return ["no policy denies everything"]


def programs_reach_what_they_connect_to(manifests: Manifests) -> list[str]:
    return [
        f"{name} does not reach {target} on {port}"
        for name, target, labels, port in _needed(manifests)
        if not _reaches(manifests, _labels_of(manifests, name), labels, port)
    ]


def programs_reach_nothing_else(manifests: Manifests) -> list[str]:
    needed = {(name, target, port) for name, target, _, port in _needed(manifests)}
    stores = [store for program in PROGRAMS for store in stores_of(program, STORES[manifests.overlay])]
    targets = {(store.name, tuple(store.labels.items()), port) for store in stores for port in store.ports}
    for program in SYSTEM.all_processes:
        labels = tuple(_labels_of(manifests, program.name).items())
        targets |= {(program.name, labels, port) for port in (HTTP_PORT, METRICS_PORT)}
    return [
        f"{program.name} reaches {target} on {port}"
        for program in PROGRAMS
        for target, labels, port in targets
        if labels
        and (program.name, target, port) not in needed
        and _reaches(manifests, _labels_of(manifests, program.name), dict(labels), port)
    ]


def _needed(manifests: Manifests) -> Iterator[tuple[str, str, Labels, int]]:
    for program in PROGRAMS:
        for store in stores_of(program, STORES[manifests.overlay]):
            for port in store.ports:
                yield program.name, store.name, store.labels, port
        for source in program.settings.values():
            if isinstance(source, RestUrl):
                yield program.name, source.service, _labels_of(manifests, source.service), HTTP_PORT


def _labels_of(manifests: Manifests, name: str) -> Labels:
    labels: Labels = manifests.pod(name)["metadata"]["labels"]
    return labels


def _reaches(manifests: Manifests, client: Labels, server: Labels, port: int) -> bool:
    """Whether one may send and the other may receive; a server without labels is outside the cluster."""
    sends = any(_matches(rule, "to", server, port) for rule in _rules(manifests, client, "Egress"))
    return sends and (not server or _receives(manifests, client, server, port))


def _receives(manifests: Manifests, client: Labels, server: Labels, port: int) -> bool:
    for one in manifests.of("Kafka"):
        # What Strimzi's own policy lets in.
        for listener in one["spec"]["kafka"]["listeners"] if "strimzi.io/kind" in server else ():
            if listener["port"] == port and _matches({"from": listener["networkPolicyPeers"]}, "from", client, port):
                return True
    return any(_matches(rule, "from", client, port) for rule in _rules(manifests, server, "Ingress"))


def _rules(manifests: Manifests, pod: Labels, direction: str) -> Iterator[Object]:
    for one in manifests.of("NetworkPolicy"):
        spec = one["spec"]
        chosen = spec["podSelector"].get("matchLabels", {})
        if direction in spec["policyTypes"] and chosen.items() <= pod.items():
            yield from spec.get(direction.lower(), ())


def _matches(rule: Object, peers: str, pod: Labels, port: int) -> bool:
    ports = [one["port"] for one in rule.get("ports", ())]
    if ports and port not in ports:
        return False
    # A peer in another namespace is none of these pods.
    selectors = [
        peer["podSelector"]["matchLabels"] for peer in rule.get(peers, ()) if "namespaceSelector" not in peer
    ]
    return peers not in rule or any(selector.items() <= pod.items() for selector in selectors)


def outsiders_reach_what_is_for_them(manifests: Manifests) -> list[str]:
    """The gateway the REST APIs, Prometheus the metrics, and neither more."""
    wrong = []
    for service in SYSTEM.services:
        front, worker = (program.name for program in SYSTEM.processes(service))
        expected = {
            (front, HTTP_PORT): {GATEWAY},
            (front, METRICS_PORT): {MONITORING},
            (worker, HTTP_PORT): {MONITORING},
        }
        for (name, port), wanted in expected.items():
            found = set(_namespaces(manifests, _labels_of(manifests, name), port))
            if found != wanted:
                wrong.append(f"{name}: port {port} is open to {found}, not to {wanted}")
    return wrong


def _namespaces(manifests: Manifests, pod: Labels, port: int) -> Iterator[str]:
    for rule in _rules(manifests, pod, "Ingress"):
        if port in [one["port"] for one in rule.get("ports", ())]:
            for peer in rule.get("from", ()):
                if "namespaceSelector" in peer:
                    yield peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]


def gateway_leads_to_every_route_for_clients(manifests: Manifests) -> list[str]:
    """And to no other: not to health, metrics, the ops API and the keys."""
    if not manifests.of("Ingress"):
        return []
    wrong = []
    for service, path in _paths():
        found = sorted(_backends(manifests, path))
        expected = [] if path.startswith(NOT_FOR_CLIENTS) else [service]
        if found != expected:
            wrong.append(f"{path}: leads to {found}, not to {expected}")
    return wrong


def _paths() -> Iterator[tuple[str, str]]:
    for service, guards in GUARDS.items():
        for route in guards:
            path = route.partition(" ")[2]
            for extension in ("csv", "ndjson") if "{extension}" in path else ("",):
                yield service, path.replace("{extension}", extension)
        yield from ((service, page) for page in PAGES.get(service, ()))
        yield service, "/health/metrics"


def _backends(manifests: Manifests, path: str) -> Iterator[str]:
    for one in manifests.of("Ingress"):
        for rule in one["spec"]["rules"]:
            for entry in rule["http"]["paths"]:
                prefix = entry["pathType"] == "Prefix" and path.startswith(entry["path"].rstrip("/") + "/")
                if path == entry["path"] or prefix:
                    yield entry["backend"]["service"]["name"]


OPEN = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
ON_9000 = {"ports": [{"protocol": "TCP", "port": METRICS_PORT}]}

CORRUPTIONS: Corruptions = {
    everything_is_denied_first: [
        remove("NetworkPolicy/deny-all"),
        set_value("NetworkPolicy/deny-all", "spec policyTypes", ["Ingress"]),
        set_value("NetworkPolicy/deny-all", "spec egress", [{}]),
    ],
    programs_reach_what_they_connect_to: [
        remove("NetworkPolicy/order-calls"),
        remove("NetworkPolicy/product-mongo-clients"),
        set_value("NetworkPolicy/order-worker-stores", "spec egress", []),
        set_value("NetworkPolicy/postgres-clients", "spec ingress 0 ports 0 port", 5433),
        set_value("Deployment/order-worker", "spec template metadata labels", {"app": "order"}),
    ],
    programs_reach_nothing_else: [
        set_value("NetworkPolicy/dns", "spec", OPEN | {"ingress": [{}], "egress": [{}]}),
        set_value("NetworkPolicy/dns", "spec", OPEN | {"ingress": [ON_9000], "egress": [ON_9000]}),
    ],
    outsiders_reach_what_is_for_them: [
        set_value("NetworkPolicy/order", "spec ingress 0 ports 0 port", 9000),
        set_value("NetworkPolicy/order-worker", "spec ingress", []),
    ],
    gateway_leads_to_every_route_for_clients: [
        set_value("Ingress/shop", "spec rules 0 http paths 0 path", "/v1/account"),
        set_value("Ingress/shop", "spec rules 0 http paths 0 path", "/v1"),
        set_value("Ingress/shop", "spec rules 0 http paths 0 backend service name", "order"),
    ],
}
