"""Settings that a process must refuse to start with."""

import asyncio
import os
import sys
from collections.abc import Mapping

import pytest
from pydantic_settings import BaseSettings

from chassis.runtime.settings import load

EX_CONFIG = 78


async def refusal(module: str, env: Mapping[str, str]) -> str:
    """What ``python -m module`` says on stderr when it refuses to start with these settings, and no others."""
    command = [sys.executable, "-m", module]
    known = {"PATH": os.environ["PATH"], **env}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=known, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(60):
            _, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == EX_CONFIG, errors.decode()
    assert b"Traceback" not in errors
    return errors.decode()


class Environment:
    """The environment of this process, for settings that are read in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def set(self, cls: type[BaseSettings], env: Mapping[str, str]) -> None:
        """Set these variables, and none else that the settings look at."""
        for name in cls.model_fields:
            self._monkeypatch.delenv(name.upper(), raising=False)
        for name, value in env.items():
            self._monkeypatch.setenv(name.upper(), value)

    def refused(self, cls: type[BaseSettings], env: Mapping[str, str]) -> list[str]:
        """The names of the settings that a process says are wrong before it ends."""
        return [line.partition(":")[0] for line in self.told(cls, env)]

    def told(self, cls: type[BaseSettings], env: Mapping[str, str]) -> list[str]:
        """What it says of them, a line each."""
        self.set(cls, env)
        with pytest.raises(SystemExit) as ended:
            load(cls, "some_svc")
        told = self._capsys.readouterr().err
        assert ended.value.code == EX_CONFIG
        assert "secret-pw" not in told
        return [line.strip() for line in told.splitlines()[1:]]
