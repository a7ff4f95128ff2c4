"""Ports stay the same from run to run, and no two runs get the same one."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.errors import PortTaken
from deploy.local.ports import LOOPBACK, Wish, choose, claim, free_port, release


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "ports.json"


@pytest.fixture
def taken() -> Iterator[int]:
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        release(port)
        yield port


def test_a_port_is_remembered(memory: Path) -> None:
    first = choose([Wish("order")], memory, {})
    release(first["order"])
    assert choose([Wish("order")], memory, {}) == first


def test_a_remembered_port_that_is_taken_is_replaced(memory: Path, taken: int) -> None:
    memory.write_text(json.dumps({"order": taken}))
    assert choose([Wish("order")], memory, {})["order"] != taken


def test_what_is_remembered_for_others_is_kept(memory: Path) -> None:
    memory.write_text(json.dumps({"mail": 25000}))
    choose([Wish("order")], memory, {})
    assert json.loads(memory.read_text())["mail"] == 25000


def test_a_preferred_port_is_taken_when_it_is_free(memory: Path) -> None:
    port = free_port()
    release(port)
    assert choose([Wish("order", preferred=port)], memory, {}) == {"order": port}


def test_a_preferred_port_is_left_to_who_has_it(memory: Path, taken: int) -> None:
    assert choose([Wish("order", preferred=taken)], memory, {})["order"] != taken


def test_the_setting_wins_over_what_is_remembered(memory: Path) -> None:
    port = free_port()
    release(port)
    memory.write_text(json.dumps({"order": port + 1}))
    assert choose([Wish("order", "ORDER_PORT")], memory, {"ORDER_PORT": str(port)}) == {"order": port}


def test_a_set_port_that_is_taken_is_named_with_its_setting(memory: Path, taken: int) -> None:
    with pytest.raises(PortTaken, match=f"port {taken} \\(ORDER_PORT\\) .* taken by another process"):
        choose([Wish("order", "ORDER_PORT")], memory, {"ORDER_PORT": str(taken)})


@pytest.mark.parametrize("text", ["0", "65536", "-1", "80x", "१२३४", " "])
def test_a_setting_that_is_no_port_is_refused(memory: Path, text: str) -> None:
    with pytest.raises(PortTaken, match=r"ORDER_PORT=.* is not a port"):
        choose([Wish("order", "ORDER_PORT")], memory, {"ORDER_PORT": text})


def test_two_settings_cannot_name_the_same_port(memory: Path) -> None:
    port = free_port()
    release(port)
    wishes = [Wish("order", "ORDER_PORT"), Wish("mail", "MAIL_PORT")]
    with pytest.raises(PortTaken, match="MAIL_PORT"):
        choose(wishes, memory, {"ORDER_PORT": str(port), "MAIL_PORT": str(port)})


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"order": "x"}', '{"order": 0}', '{"order": 99999}'])
def test_a_damaged_memory_is_forgotten(memory: Path, text: str) -> None:
    memory.write_text(text)
    assert 0 < choose([Wish("order")], memory, {})["order"] < 65536


def test_a_port_claimed_by_another_run_is_not_free_before_that_run_listens_on_it() -> None:
    program = "from deploy.local.ports import free_port; print(free_port(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=-1, stdout=-1, text=True) as other:
        assert other.stdin
        assert other.stdout
        port = int(other.stdout.readline())
        assert not claim(port)
        other.communicate("\n")
    assert claim(port)
    release(port)
