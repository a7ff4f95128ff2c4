"""``shop`` as its users see it: output, exit status, one-line errors. Most tests run it in their own process."""

import asyncio
import json
import os
from dataclasses import dataclass
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.main import get_command
from typer.testing import CliRunner

from ops.cli import app
from tests.ops.world import World

EMAIL, PASSWORD = "ops@example.com", "the password of ops"
COMMANDS = get_command(app)
"""Made once: that takes longer than most runs."""
RUNNING = asyncio.Event()
"""A program is running."""


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The output, which is one JSON document."""
        return json.loads(self.out)


def inherited() -> list[str]:
    """The variables of this process that the program would read."""
    chosen = ("_URL", "KAFKA_", "OPS_", "SHOP_HOME")
    return [name for name in os.environ if any(part in name for part in chosen)]


async def run(*arguments: str, **env: str) -> Result:
    """Run the program with this environment alone."""
    variables: dict[str, str | None] = {**dict.fromkeys(inherited()), **env}
    # The REST APIs run on the event loop of this thread; what they log is not output of the program.
    with capture_logs(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", lambda _app: COMMANDS)
        RUNNING.set()
        try:
            result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=variables, prog_name="shop")
        finally:
            RUNNING.clear()
    return Result(result.exit_code, result.stdout, result.stderr)


def location(world: World, **changes: str) -> dict[str, str]:
    """The environment variables that locate the shop."""
    urls = {f"{name.upper()}_URL": url for name, url in world.urls.items()}
    kafka = {"KAFKA_BOOTSTRAP_SERVERS": world.servers.kafka, "KAFKA_PREFIX": world.prefix}
    return urls | kafka | {"OPS_EMAIL": EMAIL, "OPS_PASSWORD": PASSWORD} | changes


def assert_failed(result: Result, *words: str) -> None:
    """The program has named in one line what is in the way."""
    assert (result.status, result.out) == (2, ""), result
    assert result.err.count("\n") == 1
    assert all(word in result.err for word in words), result.err
