"""The processes of the services in a local run."""

import json

from deploy.local.services import service_process
from deploy.local.tasks import FOR_PEOPLE
from deploy.system import ORDER, SYSTEM
from tests.deploy.installation import ADDRESSES, PUBLIC

PORTS = {"order": 8003, "order-worker": 20001, "order-metrics": 20002}


def test_both_processes_of_a_service_listen_on_loopback_on_their_own_ports() -> None:
    front, worker = (service_process(program, PORTS, ADDRESSES) for program in SYSTEM.processes(ORDER))
    assert (front.name, front.url) == ("order", "http://127.0.0.1:8003")
    assert (worker.name, worker.command.env["PORT"]) == ("order-worker", "20001")
    assert front.command.env["METRICS_PORT"] == "20002"
    assert (front.metrics_url, worker.metrics_url) == (
        "http://127.0.0.1:20002/metrics",
        "http://127.0.0.1:20001/metrics",
    )
    assert front.command.env["HOST"] == worker.command.env["HOST"] == "127.0.0.1"
    assert front.command.env["METRICS_HOST"] == "127.0.0.1"
    assert front.command.argv[-2:] == ["-m", "order_svc.main"]


def test_a_local_run_is_for_development_even_where_the_environment_says_otherwise() -> None:
    provided = {"SHOP_ENV": "production", "LOG_LEVEL": "DEBUG"}
    env = service_process(SYSTEM.rest_front(ORDER), PORTS, ADDRESSES, provided).command.env
    assert (env["SHOP_ENV"], env["LOG_LEVEL"]) == ("development", "DEBUG")


def test_the_services_know_where_clients_reach_them_unless_the_environment_says_otherwise() -> None:
    chosen, front = '{"order_svc": "https://other.example"}', SYSTEM.rest_front(ORDER)
    others = ({"PUBLIC_URLS": given} for given in ("", chosen))
    unset, made = (service_process(front, PORTS, ADDRESSES, one).command.env["PUBLIC_URLS"] for one in others)
    assert json.loads(unset) == {f"{name}_svc": url for name, url in PUBLIC.items()}
    assert made == chosen


def test_logs_are_for_people_unless_the_environment_says_otherwise() -> None:
    chosen = FOR_PEOPLE | {"LOG_FORMAT": "json", "ACCESS_LOG": ""}
    front = SYSTEM.rest_front(ORDER)
    made = [service_process(front, PORTS, ADDRESSES, provided).command.env for provided in (FOR_PEOPLE, chosen)]
    assert [(env["LOG_FORMAT"], env["ACCESS_LOG"]) for env in made] == [("console", "true"), ("json", "")]
