"""Settings with which a process must refuse to start."""

import asyncio
import os
import sys
from collections.abc import Mapping

import pytest
from pydantic_settings import BaseSettings

from chassis.runtime.settings import load

EX_CONFIG = 78


async def refusal(module: str, env: Mapping[str, str]) -> str:
    """The stderr of ``python -m module`` when it refuses to start with exactly these settings."""
    command = [sys.executable, "-m", module]
    only = {"PATH": os.environ["PATH"], **env}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=only, stdout=pipe, stderr=pipe)
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
    """The environment of this process, for settings that are loaded in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def set(self, cls: type[BaseSettings], env: Mapping[str, str]) -> None:
        """Set these variables, and unset all others that the settings read."""
        for name in cls.model_fields:
            self._monkeypatch.delenv(name.upper(), raising=False)
        for name, value in env.items():
            self._monkeypatch.setenv(name.upper(), value)

    def refused(self, cls: type[BaseSettings], env: Mapping[str, str]) -> list[str]:
        """The names of the settings that are reported as wrong."""
        return [line.partition(":")[0] for line in self.messages(cls, env)]

    def messages(self, cls: type[BaseSettings], env: Mapping[str, str]) -> list[str]:
        """The lines that report wrong settings, one each."""
        self.set(cls, env)
        with pytest.raises(SystemExit) as exited:
            load(cls, "some_svc")
        errors = self._capsys.readouterr().err
        assert exited.value.code == EX_CONFIG
        assert "secret-pw" not in errors
        return [line.strip() for line in errors.splitlines()[1:]]
