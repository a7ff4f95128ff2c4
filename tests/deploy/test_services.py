"""The processes of the services in a local run."""

from deploy.local.services import service_process
from deploy.system import ORDER, SYSTEM
from tests.deploy.installation import ADDRESSES


def test_both_processes_of_a_service_listen_on_loopback_on_their_own_ports() -> None:
    front, worker = (
        service_process(program, port, ADDRESSES)
        for program, port in zip(SYSTEM.processes(ORDER), (8003, 20001), strict=True)
    )
    assert (front.name, front.url) == ("order", "http://127.0.0.1:8003")
    assert (worker.name, worker.command.env["PORT"]) == ("order-worker", "20001")
    assert front.command.env["HOST"] == worker.command.env["HOST"] == "127.0.0.1"
    assert front.command.argv[-2:] == ["-m", "order_svc.main"]


def test_a_local_run_is_for_development_even_where_the_environment_says_otherwise() -> None:
    provided = {"SHOP_ENV": "production", "LOG_LEVEL": "DEBUG"}
    env = service_process(SYSTEM.rest_front(ORDER), 8003, ADDRESSES, provided).command.env
    assert (env["SHOP_ENV"], env["LOG_LEVEL"]) == ("development", "DEBUG")
