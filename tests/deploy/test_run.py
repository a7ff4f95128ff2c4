"""The runner as its users see it: a process with an exit status, output, and the signals of a terminal."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from deploy.local.pid_files import fingerprint
from deploy.local.ports import LOOPBACK, free_port, release
from deploy.local.probes import http_problem
from deploy.system import SYSTEM
from tests.deploy.runner import Run
from tests.servers import Servers

PREFIX = f"run{uuid4().hex[:6]}."


Start = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    runs: list[Run] = []

    def start(*arguments: str, home: Path | None = None, env: Mapping[str, str] | None = None) -> Run:
        runs.append(Run(home or tmp_path / "home", *arguments, env=env))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.signal(signal.SIGTERM)
        run.finish()


@pytest.fixture
def external(servers: Servers) -> dict[str, str]:
    """The servers of this test run instead of the runner's own; but not the mail sink."""
    return {
        "KAFKA_BOOTSTRAP_SERVERS": servers.kafka,
        "POSTGRES_URL": servers.postgres,
        "MONGO_URL": servers.mongo,
        "KAFKA_PREFIX": PREFIX,
    }


def all_ended(pids: list[int], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while any(fingerprint(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_data_survive_a_kill_of_the_run_which_ends_its_servers_and_kills_of_the_servers_themselves(
    start: Start, servers: Servers
) -> None:
    env = {"KAFKA_BOOTSTRAP_SERVERS": servers.kafka}
    first = start("servers", env=env)
    first.until("Everything is up")
    before = first.record
    assert before["state"] == "up"
    assert before["processes"].pop("kafka") == {"url": servers.kafka, "pid": None, "log": None}
    assert set(before["processes"]) == {"postgres", "mongo", "mail"}
    assert all(fingerprint(entry["pid"]) and Path(entry["log"]).exists() for entry in before["processes"].values())
    with psycopg.connect(before["processes"]["postgres"]["url"]) as connection:
        connection.execute("CREATE TABLE kept (answer int)")
    first.signal(signal.SIGKILL)
    first.finish()
    assert all_ended([entry["pid"] for entry in before["processes"].values()])

    second = start("servers", env=env)
    second.until("Everything is up")
    after = second.record["processes"]
    assert all(after[name]["url"] == entry["url"] for name, entry in before["processes"].items())
    with psycopg.connect(after["postgres"]["url"]) as connection:
        connection.execute("SELECT answer FROM kept")
    for name in ("postgres", "mongo"):
        os.kill(after[name]["pid"], signal.SIGKILL)
        second.until(f"✓ {name} is up again")
    with psycopg.connect(second.record["processes"]["postgres"]["url"]) as connection:
        connection.execute("SELECT answer FROM kept")
    children = second.pids()
    second.signal(signal.SIGTERM)
    assert second.finish() == 0
    assert second.record["state"] == "stopped"
    assert all_ended(children, seconds=0)


def test_the_sample_order_is_shown_and_a_process_that_is_killed_is_started_again(
    start: Start, external: dict[str, str]
) -> None:
    run = start("run", env=external)
    run.until("Ctrl-C stops everything")
    before = run.record
    assert before["state"] == "up"
    assert len(before["processes"]) == 12
    metrics = [entry["metrics"] for entry in before["processes"].values() if "metrics" in entry]
    assert [http_problem(url) for url in metrics] == [""] * 8
    for shown in ("order.placed", "stock.reserved", "order.confirmed", "notification.mail_sent", "Total: €25.00"):
        assert shown in run.output
    _run_the_shown_commands(run.output)
    log = (run.home / "logs" / "order.log").read_text()
    assert re.search(r"^\S+Z \[info +\] POST /v1/orders 202 \d+\.\d ms ", log, re.MULTILINE)
    for name in ("notifier", "mail"):
        os.kill(before["processes"][name]["pid"], signal.SIGKILL)
        run.until(f"✗ {name} was ended by SIGKILL, see {run.home}/logs/{name}.log: starting it again in 1 s")
        run.until(f"✓ {name} is up again")
    after = run.record
    assert after["state"] == "up"
    changed = [name for name, entry in after["processes"].items() if entry != before["processes"][name]]
    assert changed == ["mail", "notifier"]
    assert all(fingerprint(after["processes"][name]["pid"]) for name in changed)
    assert http_problem(f"{after['processes']['notifier']['url']}/health/ready") == ""
    children = run.pids()
    assert {entry["pid"] for entry in after["processes"].values()} - {None} == set(children)
    run.signal(signal.SIGINT)
    assert run.finish() == 0
    assert run.record["state"] == "stopped"
    assert all_ended(children, seconds=0)


def test_a_process_that_ends_during_the_start_ends_the_run(start: Start, external: dict[str, str]) -> None:
    # notifier_svc's event process refuses this setting.
    run = start("run", env={**external, "MAIL_FROM": "nobody"})
    assert run.finish() == 1
    assert "✗ notifier-worker ended with status 78, see" in run.output
    assert run.record["state"] == "failed"
    assert all_ended(run.pids(), seconds=0)


def _run_the_shown_commands(output: str) -> None:
    if not shutil.which("curl"):
        return
    commands = [line for line in output.splitlines() if line.startswith(("TOKEN=", "curl "))]
    assert len(commands) == 3
    result = subprocess.run(["sh", "-euc", "\n".join(commands)], capture_output=True, text=True, timeout=30)
    assert "HTTP/1.1 202" in result.stdout
    assert '"order.confirmed"' in result.stdout


@pytest.mark.parametrize(
    ("command", "number", "moment"),
    [
        ("run", signal.SIGINT, "customer             starting"),
        # What follows is the same for all: only servers start, which takes less time.
        ("servers", signal.SIGTERM, "mail                 started"),
        ("servers", signal.SIGHUP, "mail                 started"),
    ],
    ids=["ctrl-c", "sigterm", "sighup"],
)
def test_a_run_that_is_stopped_half_way_leaves_no_process(
    start: Start, external: dict[str, str], command: str, number: signal.Signals, moment: str
) -> None:
    run = start(command, env={**external, "MAKELEVEL": ""})
    run.until(moment)
    children = run.pids()
    run.signal(number)
    assert run.finish() == 128 + number
    assert "Traceback" not in run.output
    assert run.record["state"] == "stopped"
    assert children
    assert all_ended([*children, *run.pids()], seconds=0)


def test_two_runs_can_work_in_two_homes_but_not_in_one(
    start: Start, external: dict[str, str], tmp_path: Path
) -> None:
    runs = [start("servers", home=tmp_path / name, env=external) for name in ("one", "other")]
    for run in runs:
        run.until("Everything is up")
    assert len({run.record["processes"]["mail"]["page"] for run in runs}) == 2
    for late in (start("servers", home=runs[0].home, env=external), start("clean", home=runs[0].home)):
        assert late.finish() == 1
        assert f"✗ another run (pid {runs[0].process.pid}) uses {runs[0].home}: stop it" in late.output
        assert len(late.output.splitlines()) == 1


def test_a_port_that_is_in_use_is_reported_in_one_line(start: Start) -> None:
    port = free_port()
    release(port)
    with socket.create_server((LOOPBACK, port)):
        run = start("run", env={"ORDER_PORT": str(port)})
        assert run.finish() == 1
    assert f"✗ port {port} (ORDER_PORT) is unavailable, in use by another process" in run.output
    assert len(run.output.splitlines()) == 1


UNREACHABLE = dict(
    zip(
        (server.setting for server in SYSTEM.servers),
        ("127.0.0.1:1", "postgresql://x@127.0.0.1:1/x", "mongodb://127.0.0.1:1", "smtp://127.0.0.1:1"),
        strict=True,
    )
)


def test_an_external_server_that_does_not_respond_is_reported_in_one_line(start: Start) -> None:
    run = start("servers", env=UNREACHABLE)
    assert run.finish() == 1
    assert "is set, but" in run.output
    assert "Traceback" not in run.output


def test_exit_hooks_do_not_race_with_the_threads_that_still_wait_for_a_server(tmp_path: Path) -> None:
    # MongoDB's client was once half made when the hook of its library looked at it, and a traceback was printed.
    program = "import atexit; atexit.register(print, 'a hook'); from deploy.local.cli import app; app(['servers'])"
    env = {**os.environ, **UNREACHABLE, "SHOP_HOME": str(tmp_path)}
    result = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "is set, but" in result.stdout + result.stderr
    assert "a hook" not in result.stdout
