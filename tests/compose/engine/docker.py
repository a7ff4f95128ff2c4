"""A Docker engine of the check's own, and the command line that talks to it.

It has its own data, sockets and networks, and knows nothing of another engine on this machine. Its images stay in the
cache; containers, networks and volumes are removed when it starts and when it stops.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from deploy.local.processes import Command, Processes, stop_all
from tests.compose.engine.errors import CheckFailed, Unavailable

PACKAGES = {"dockerd": "docker.io", "docker": "docker.io", "iptables": "iptables", "mmdebstrap": "mmdebstrap"}
"""The Debian package of each program that is needed."""
SUITE = "trixie"
"""The release of Debian whose packages go into the images; it is also where Compose comes from."""
START_SECONDS = 60
KEPT = ("PATH", "HOME", "TERM", "SSL_CERT_FILE")
"""What programs get of the check's own environment. Compose would take other variables for settings of the shop."""


def why_not() -> str:
    """Return why there can be no engine on this machine; empty if there can."""
    if os.geteuid():
        return "an engine needs root"
    missing = {package for program, package in PACKAGES.items() if not shutil.which(program)}
    return f"no engine here: apt-get install {' '.join(sorted(missing))}" if missing else ""


class Docker:
    """The command line of one engine."""

    def __init__(self, url: str, config: Path) -> None:
        self.url = url
        self.config = config
        """The directory with the plug-in Compose."""

    @property
    def environment(self) -> dict[str, str]:
        """Of programs that use this engine."""
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        # The classic builder: the other one is a plug-in of its own.
        return kept | {"DOCKER_HOST": self.url, "DOCKER_CONFIG": str(self.config), "DOCKER_BUILDKIT": "0"}

    def run(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        given: str | None = None,
        seconds: float = 300,
    ) -> str:
        """Return what ``docker …`` prints; raise ``CheckFailed`` with its last lines if it fails."""
        done = self.attempt(*arguments, variables=variables, given=given, seconds=seconds)
        if done.returncode:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-25:])
            raise CheckFailed(f"docker {' '.join(arguments[:12])} ended with {done.returncode}:\n{last}")
        return done.stdout

    def attempt(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        given: str | None = None,
        seconds: float = 300,
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``docker …``, however it ends; raise ``CheckFailed`` if it does not end in time."""
        command, environment = ["docker", *arguments], {**self.environment, **(variables or {})}
        options = {"input": given} if given is not None else {"stdin": subprocess.DEVNULL}
        try:
            return subprocess.run(
                command,
                env=environment,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
                **options,  # type: ignore[call-overload, unused-ignore]
            )
        except subprocess.TimeoutExpired as error:
            raise CheckFailed(f"docker {' '.join(arguments[:12])} did not end within {seconds:g} s") from error

    def clear(self) -> None:
        """Remove all containers, volumes and networks."""
        if containers := self.run("ps", "--all", "--quiet").split():
            self.run("rm", "--force", "--volumes", *containers)
        if volumes := self.run("volume", "ls", "--quiet").split():
            self.run("volume", "rm", "--force", *volumes)
        self.run("network", "prune", "--force")


@contextmanager
def own_engine(cache: Path) -> Iterator[Docker]:
    """Run an engine whose images are in ``cache``; raise ``Unavailable`` if that does not work here."""
    cache.mkdir(parents=True, exist_ok=True)
    with _alone(cache), _run_directory() as run:
        processes = Processes(run)
        command = _dockerd(cache / "engine", run)
        child = processes.start(Command("dockerd", command, orphan_signal=signal.SIGTERM))
        docker = Docker(f"unix://{run}/docker.sock", cache / "client")
        try:
            deadline = time.monotonic() + START_SECONDS
            while docker.attempt("version").returncode:
                if not child.running or time.monotonic() > deadline:
                    raise Unavailable(f"dockerd does not start here:\n{child.last_lines()}")
                time.sleep(0.2)
            docker.clear()
            yield docker
        finally:
            # Whoever cannot wait for the end would leave containers behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            if child.running:
                _clear_up(docker)
            stop_all([child], grace=60)


@contextmanager
def _run_directory() -> Iterator[Path]:
    """A directory for the engine's sockets; what the engine leaves there, processes and mounts, ends with it."""
    # A short path: that of a socket has at most 107 bytes.
    run = Path(tempfile.mkdtemp(prefix="compose-check-", dir="/tmp"))
    try:
        yield run
    finally:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                if f"{run}/".encode() in path.read_bytes():
                    os.kill(int(path.parent.name), signal.SIGKILL)
        mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        for point in reversed([one for one in mounted if one.startswith(f"{run}/")]):
            subprocess.run(["umount", "--lazy", point], check=False)
        shutil.rmtree(run, ignore_errors=True)


def _clear_up(docker: Docker) -> None:
    try:
        docker.clear()
    except CheckFailed as error:
        print(f"what is left is removed by the next run: {error}")


def _dockerd(data: Path, run: Path) -> Sequence[str]:
    # Without the default network: containers are in those of compose.yaml alone, and builds in that of this machine.
    own = [f"--data-root={data}", f"--exec-root={run}/exec", f"--pidfile={run}/docker.pid"]
    return ["dockerd", *own, f"--host=unix://{run}/docker.sock", "--bridge=none", "--log-level=warn"]


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    with (cache / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(f"another run uses {cache}") from None
        yield


def add_compose(docker: Docker) -> None:
    """Make ``docker compose`` work: as the machine has it, else with Debian's."""
    plugins = docker.config / "cli-plugins"
    if not docker.attempt("compose", "version").returncode:
        return
    with tempfile.TemporaryDirectory() as tree:
        bootstrap(Path(tree) / "compose.tar", "extract", ["docker-compose"])
        program = "usr/libexec/docker/cli-plugins/docker-compose"
        subprocess.run(["tar", "-C", tree, "-xf", f"{tree}/compose.tar", f"./{program}"], check=True)
        plugins.mkdir(parents=True, exist_ok=True)
        shutil.move(f"{tree}/{program}", plugins / "docker-compose")
    docker.run("compose", "version")


def bootstrap(tar: Path, variant: str, packages: Sequence[str]) -> None:
    """Write a tree of Debian packages; raise ``CheckFailed``."""
    command = ["mmdebstrap", f"--variant={variant}", f"--include={','.join(packages)}", SUITE, str(tar)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CheckFailed(f"mmdebstrap ended with {done.returncode}:\n{done.stderr[-1500:]}")
