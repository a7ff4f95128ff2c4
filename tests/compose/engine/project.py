"""The shop of compose.yaml on an engine: started, asked, stopped."""

import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.ports import LOOPBACK, free_port
from deploy.local.sample_order import Credentials
from deploy.system import SYSTEM
from tests.compose.deployment import ROOT, make_secrets
from tests.compose.engine.docker import Docker
from tests.compose.engine.errors import CheckFailed

NAME = "compose-check"
SERVICES = tuple(service.name for service in SYSTEM.services)
UP_SECONDS = 400


@dataclass
class Project:
    """A project of Compose, with ports and secrets of its own."""

    docker: Docker
    files: Path
    """A directory for its settings."""
    code: Path = ROOT
    """The directory with its compose.yaml."""
    ports: dict[str, int] = field(default_factory=dict)
    staff: Credentials = field(default_factory=lambda: _account("staff"))
    ops: Credentials = field(default_factory=lambda: _account("ops"))

    def configure(self, more: Mapping[str, str] | None = None) -> None:
        """Choose free ports, and make the secrets as an installation does; ``more`` are settings in its .env."""
        self.ports = self.ports or {f"{name.upper()}_PORT": free_port() for name in (*SERVICES, "shop", "mail")}
        values = {"SECRETS": self.files / ".secrets", "OPS_EMAIL": self.ops.email, "STAFF_EMAIL": self.staff.email}
        given = {**self.ports, **values, **(more or {})}
        self._settings.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
        (self.files / ".env").write_text("".join(f"{name}={value}\n" for name, value in (more or {}).items()))
        make_secrets(self.files)

    def secrets(self) -> Mapping[str, str]:
        """The secrets of this installation, by the names of their files."""
        return {path.name: path.read_text().strip() for path in (self.files / ".secrets").iterdir()}

    @property
    def _settings(self) -> Path:
        return self.files / "settings"

    @property
    def shop(self) -> str:
        """The URL of the gateway, for clients."""
        return f"http://{LOOPBACK}:{self.ports['SHOP_PORT']}"

    @property
    def rest(self) -> dict[str, str]:
        """The URL of each REST front."""
        return {name: f"http://{LOOPBACK}:{self.ports[f'{name.upper()}_PORT']}" for name in SERVICES}

    @property
    def mail_page(self) -> str:
        """The URL of Mailpit."""
        return f"http://{LOOPBACK}:{self.ports['MAIL_PORT']}"

    def compose(
        self,
        *arguments: str,
        given: str | None = None,
        seconds: float = UP_SECONDS,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Return what ``docker compose …`` prints; raise ``CheckFailed``. ``given`` is its standard input."""
        return self.docker.run(*self.command(*arguments), given=given, seconds=seconds, variables=variables)

    def command(self, *arguments: str) -> list[str]:
        """The arguments of ``docker`` for this project."""
        where = [f"--project-directory={self.code}", f"--file={self.code}/compose.yaml"]
        return ["compose", f"--project-name={NAME}", *where, f"--env-file={self._settings}", *arguments]

    def script(self, name: str, *arguments: str) -> None:
        """Run a script of ``deploy/compose`` as those do who operate the shop; raise ``CheckFailed``."""
        environment = {
            **self.docker.environment,
            "COMPOSE_PROJECT_NAME": NAME,
            "SECRETS": str(self.files / ".secrets"),
        }
        environment |= {"COMPOSE_FILE": f"{self.code}/compose.yaml", "COMPOSE_ENV_FILES": str(self._settings)}
        command = ["sh", f"{self.code}/deploy/compose/{name}", *arguments]
        done = subprocess.run(
            command, cwd=self.files, env=environment, capture_output=True, text=True, check=False, timeout=UP_SECONDS
        )
        if done.returncode:
            raise CheckFailed(f"{name} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-2000:]}")

    def up(self, *services: str) -> None:
        """Start these, or everything, and wait until that is healthy; raise ``CheckFailed``, with what they say."""
        alone = ["--no-deps", *services] if services else []
        try:
            self.compose("up", "--detach", "--wait", "--quiet-pull", *alone)
        except CheckFailed as error:
            raise CheckFailed("\n".join([str(error), *self._complaints()])) from None

    def _complaints(self) -> Iterator[str]:
        """The last lines of what is not well."""
        for one in self.containers():
            state, name = one["State"], service_of(one)
            if state.get("Health", {}).get("Status") == "unhealthy" or state["ExitCode"]:
                checks = [check["Output"].strip() for check in state.get("Health", {}).get("Log", [])]
                yield f"{name} ({state['Status']}, {state['ExitCode']}, started {state['StartedAt']}): {checks}"
                yield self.compose("logs", "--no-color", "--no-log-prefix", "--tail=15", name)

    def containers(self) -> list[Mapping[str, Any]]:
        """What the engine knows of the containers, stopped ones too."""
        ids = self.compose("ps", "--all", "--quiet").split()
        found: list[Mapping[str, Any]] = json.loads(self.docker.run("inspect", *ids)) if ids else []
        return found

    def container(self, service: str) -> Mapping[str, Any]:
        """What the engine knows of one; raise ``CheckFailed`` if there is none."""
        for one in self.containers():
            if service_of(one) == service:
                return one
        raise CheckFailed(f"no container of {service}")

    def execute(self, service: str, code: str, *arguments: str, seconds: float = 60) -> Any:
        """Run Python code in the container of one of our programs, and return the JSON that it prints."""
        printed = self.compose("exec", "-T", service, "python", "-c", code, *arguments, seconds=seconds)
        return json.loads(printed.splitlines()[-1])

    def make_accounts(self) -> None:
        """Make those of staff and ops."""
        with ThreadPoolExecutor() as pool:
            for made in [pool.submit(self._make_account, one) for one in ("staff", "ops")]:
                made.result()

    def _make_account(self, role: str) -> None:
        account = self.staff if role == "staff" else self.ops
        self.compose("run", "--rm", "--no-deps", "-T", f"{role}-account", given=account.password)

    def audit(self) -> str:
        """Run the audit and return what it prints; raise ``CheckFailed``."""
        return self.compose("run", "--rm", "--no-deps", "-T", "audit", given=self.ops.password)


def service_of(container: Mapping[str, Any]) -> str:
    """The name of a container in compose.yaml."""
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


def _account(role: str) -> Credentials:
    return Credentials(f"{role}@example.com", secrets.token_urlsafe(16))


def wait_for(what: str, condition: Callable[[], bool], seconds: float) -> float:
    """Wait for a condition and return the seconds it took; raise ``CheckFailed`` that names what did not come."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise CheckFailed(f"within {seconds:g} s there was not {what}")
        time.sleep(0.2)
    return time.monotonic() - begun
