"""The help of ``shop``, and its completion: every command has examples that its own options allow."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from ops.cli import app
from tests.ops.cli.program import run


def commands(command: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """All commands, by what one types to run them."""
    if hasattr(command, "commands"):
        for name, one in command.commands.items():
            yield from commands(one, *path, name)
    else:
        yield " ".join(path), command


COMMANDS = dict(commands(get_command(app)))


def examples(command: Any) -> list[str]:
    return re.findall(r"^\s+shop (.+)$", command.help.partition("Examples:")[2], re.MULTILINE)


@pytest.mark.parametrize("path", COMMANDS)
def test_a_command_has_examples_that_can_be_typed(path: str) -> None:
    command = COMMANDS[path]
    assert examples(command)
    for example in examples(command):
        words = shlex.split(re.split(r" [|>&]", example)[0])
        length = len(path.split())
        assert words[:length] == path.split()
        command.make_context(path, words[length:])


@pytest.mark.parametrize("path", COMMANDS)
async def test_every_command_prints_json_and_is_found_by_the_options_of_the_platform(path: str) -> None:
    options = {option for one in COMMANDS[path].params for option in one.opts}
    assert {"--json", "--home", "--customer-url", "--kafka", "--email"} <= options
    shown = await run(*path.split(), "--help")
    assert shown.status == 0
    assert "Examples:" in shown.out


async def test_without_arguments_the_help_is_shown() -> None:
    for arguments in ((), ("sagas",), ("replay",), ("dlq",), ("rebuild",)):
        shown = await run(*arguments)
        assert "Commands" in shown.out
        assert (shown.status, shown.err) == (2, "")
    unknown = await run("adit")
    assert (unknown.status, unknown.out) == (2, "")
    assert unknown.err == "No such command 'adit'. Did you mean 'audit'? (see shop --help)\n"


def completed(words: str) -> list[str]:
    env = {**os.environ, "_SHOP_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = [sys.executable, "-m", "ops"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split()


def test_a_shell_completes_commands_options_and_names() -> None:
    assert completed("shop sa") == ["sagas"]
    assert completed("shop find --topic or") == ["order.events"]
    assert "order.placed" in completed("shop find --type order.")
    assert completed("shop lag --group n") == ["notifier_svc"]
