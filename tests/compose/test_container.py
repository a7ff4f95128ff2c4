"""The scripts in the image that start a process and check its health, run here."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.compose.deployment import ROOT

SCRIPTS = ROOT / "deploy" / "container"


def process(*command: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(["sh", str(SCRIPTS / "process.sh"), *command], stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("status", [0, 1, 137])
def test_a_process_that_ends_ends_the_container_with_its_status(status: int) -> None:
    with process("sh", "-c", f"exit {status}") as started:
        assert started.wait(10) == status


def test_a_process_is_stopped_in_an_orderly_way() -> None:
    # It takes a moment to finish, and its status is that of the container.
    program = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), sys.exit(3)))"
    with process("python3", "-c", f"{program}; print('up', flush=True); time.sleep(30)") as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "up\n"
        started.send_signal(signal.SIGTERM)
        assert started.wait(10) == 3


def test_wrong_settings_are_not_tried_again_and_again() -> None:
    with process("sh", "-c", "echo LINK_KEY is not set >&2; exit 78") as started:
        assert started.stderr is not None
        assert started.stderr.readline() == "LINK_KEY is not set\n"
        assert started.stderr.readline() == "not started again: its settings have to change first\n"
        assert started.poll() is None, "the engine would start it again"
        started.send_signal(signal.SIGTERM)
        assert started.wait(10) == 78


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server that is well at /well, and nowhere else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/well" else 503)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def health(port: int, path: str) -> int:
    return subprocess.run(["bash", str(SCRIPTS / "health.sh"), str(port), path], capture_output=True).returncode


def test_a_container_is_healthy_if_its_process_says_so(port: int) -> None:
    assert health(port, "/well") == 0
    assert health(port, "/ill") == 1


def test_a_container_is_unhealthy_if_nobody_listens() -> None:
    assert health(1, "/well") == 1
