"""Who reaches whom: nobody anybody, but for what the system map says that a program connects to."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from deploy.k8s.parts import HTTP_PORT, METRICS_PORT, Object, resource, selector
from deploy.k8s.stores import Store, Stores, stores_of
from deploy.resources import Program, RestUrl, System
from deploy.system import ACCOUNTS

GATEWAY, MONITORING = "ingress-nginx", "monitoring"
"""The namespaces of the ingress controller and of Prometheus."""
DNS = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
}


def policies(system: System) -> Iterator[Object]:
    """Yield what holds wherever the servers run."""
    yield _policy("deny-all", {}, ingress=[], egress=[])
    dns = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    yield _policy("dns", {}, egress=[{"to": [DNS], "ports": dns}])
    for service in system.services:
        front, worker = system.processes(service)
        callers = sorted(one.name for one in system.all_processes if service.name in _called(one))
        clients = [_namespace(GATEWAY), *(_pods(selector(name)) for name in callers)]
        yield _policy(
            front.name,
            selector(front.name),
            ingress=[_from(clients, [HTTP_PORT]), _from([_namespace(MONITORING)], [METRICS_PORT])],
        )
        yield _policy(worker.name, selector(worker.name), ingress=[_from([_namespace(MONITORING)], [HTTP_PORT])])
    for program in system.all_processes:
        if called := _called(program):
            targets = [_pods(selector(name)) for name in called]
            yield _policy(f"{program.name}-calls", selector(program.name), egress=[_to(targets, [HTTP_PORT])])


def store_policies(system: System, stores: Stores) -> Iterator[Object]:
    """Yield who reaches which server."""
    # Accounts are made in the pods of a REST front.
    jobs = (one for one in system.jobs if one not in ACCOUNTS)
    users: dict[str, tuple[Store, list[Program]]] = {}
    for program in (*system.all_processes, *jobs):
        reached = stores_of(program, stores)
        for store in reached:
            users.setdefault(store.name, (store, []))[1].append(program)
        # Nobody outside the cluster has labels: any address, but these ports alone.
        egress = [_to([_pods(store.labels)] if store.labels else [], store.ports) for store in reached]
        yield _policy(f"{program.name}-stores", selector(program.name), egress=egress)
    for store, programs in users.values():
        if store.labels:
            clients = [_pods(selector(program.name)) for program in programs]
            yield _policy(f"{store.name}-clients", store.labels, ingress=[_from(clients, store.ports)])


def _called(program: Program) -> list[str]:
    return sorted({source.service for source in program.settings.values() if isinstance(source, RestUrl)})


def _policy(
    name: str,
    pods: Mapping[str, str],
    *,
    ingress: Sequence[Object] | None = None,
    egress: Sequence[Object] | None = None,
) -> Object:
    rules = {kind: list(given) for kind, given in (("ingress", ingress), ("egress", egress)) if given is not None}
    chosen = {"matchLabels": dict(pods)} if pods else {}
    types = [kind.capitalize() for kind in rules]
    return resource("NetworkPolicy", name, "networking.k8s.io/v1") | {
        "spec": {"podSelector": chosen, "policyTypes": types, **{kind: one for kind, one in rules.items() if one}}
    }


def _from(peers: Sequence[Object], ports: Iterable[int]) -> Object:
    return {"from": list(peers), "ports": [{"protocol": "TCP", "port": port} for port in ports]}


def _to(peers: Sequence[Object], ports: Iterable[int]) -> Object:
    reached = {"to": list(peers)} if peers else {}
    return {**reached, "ports": [{"protocol": "TCP", "port": port} for port in ports]}


def _pods(labels: Mapping[str, str]) -> Object:
    return {"podSelector": {"matchLabels": dict(labels)}}


def _namespace(name: str) -> Object:
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
