"""Ports stay the same from run to run, and no two runs get the same port."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import PortUnavailable
from deploy.local.ports import LOOPBACK, choose_ports, claim, free_port, release
from deploy.resources import Port


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ports.json"


@pytest.fixture
def used() -> Iterator[int]:
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        release(port)
        yield port


def test_the_port_of_the_last_run_is_chosen_again(file: Path) -> None:
    first = choose_ports([Port("order")], file, {})
    release(first["order"])
    assert choose_ports([Port("order")], file, {}) == first


def test_a_port_that_is_in_use_by_now_is_replaced(file: Path, used: int) -> None:
    file.write_text(json.dumps({"order": used}))
    assert choose_ports([Port("order")], file, {})["order"] != used


def test_the_ports_of_other_names_stay_in_the_file(file: Path) -> None:
    file.write_text(json.dumps({"mail": 25000}))
    choose_ports([Port("order")], file, {})
    assert json.loads(file.read_text())["mail"] == 25000


def test_a_preferred_port_is_chosen_if_it_is_free(file: Path) -> None:
    port = free_port()
    release(port)
    assert choose_ports([Port("order", preferred=port)], file, {}) == {"order": port}


def test_a_preferred_port_that_is_in_use_is_not_chosen(file: Path, used: int) -> None:
    assert choose_ports([Port("order", preferred=used)], file, {})["order"] != used


def test_the_setting_overrides_the_port_of_the_last_run(file: Path) -> None:
    port = free_port()
    release(port)
    file.write_text(json.dumps({"order": port + 1}))
    assert choose_ports([Port("order", "ORDER_PORT")], file, {"ORDER_PORT": str(port)}) == {"order": port}


def test_a_configured_port_that_is_in_use_is_reported_with_its_setting(file: Path, used: int) -> None:
    with pytest.raises(PortUnavailable, match=f"port {used} \\(ORDER_PORT\\) .* in use by another process"):
        choose_ports([Port("order", "ORDER_PORT")], file, {"ORDER_PORT": str(used)})


@pytest.mark.parametrize("text", ["0", "65536", "-1", "80x", "१२३४", " "])
def test_a_setting_that_is_no_port_is_refused(file: Path, text: str) -> None:
    with pytest.raises(PortUnavailable, match=r"ORDER_PORT=.* is not a port"):
        choose_ports([Port("order", "ORDER_PORT")], file, {"ORDER_PORT": text})


def test_two_settings_cannot_name_the_same_port(file: Path) -> None:
    port = free_port()
    release(port)
    ports = [Port("order", "ORDER_PORT"), Port("mail", "MAIL_PORT")]
    with pytest.raises(PortUnavailable, match="MAIL_PORT"):
        choose_ports(ports, file, {"ORDER_PORT": str(port), "MAIL_PORT": str(port)})


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"order": "x"}', '{"order": 0}', '{"order": 99999}'])
def test_a_damaged_file_is_ignored(file: Path, text: str) -> None:
    file.write_text(text)
    assert 0 < choose_ports([Port("order")], file, {})["order"] < 65536


def test_a_port_claimed_by_another_run_is_not_free_even_before_that_run_listens() -> None:
    program = "from deploy.local.ports import free_port; print(free_port(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdin
        assert other.stdout
        port = int(other.stdout.readline())
        assert not claim(port)
        other.communicate("\n")
    assert claim(port)
    release(port)
