"""Settings as files: from which key of which Secret each comes.

The names are those that the operators give their Secrets: CloudNativePG (``…-app``), Strimzi (that of the user), and
the MongoDB operator (as its resource says).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.k8s.parts import FILES, KAFKA_CLUSTER, kafka_user
from deploy.resources import BrokerAddress, DatabaseUrl, Program, Secret, ServerAddress
from deploy.system import MONGO, POSTGRES

ADMIN = "topics"
"""The user who creates topics."""


@dataclass(frozen=True)
class SecretFile:
    """A key of a Secret, as a file in a container."""

    secret: str
    key: str
    file: str
    variable: str = ""
    """The environment variable that names the file; empty: the overlay says who reads it."""
    optional: bool = False

    @property
    def path(self) -> str:
        """Where the container finds it."""
        return f"{FILES}/{self.file}"


def secret_files(program: Program) -> Iterator[SecretFile]:
    """Yield the files that a program reads its secret settings from."""
    for name, source in program.settings.items():
        match source:
            case DatabaseUrl(server, database) if server is POSTGRES:
                cluster = postgres_cluster(database)
                yield SecretFile(f"{cluster}-app", "uri", "postgres-url", f"{name}_FILE")
                yield SecretFile(f"{cluster}-ca", "ca.crt", "postgres-ca.crt", optional=True)
            case DatabaseUrl(server, database) if server is MONGO:
                secret = f"{database.removesuffix('_svc')}-mongo-url"
                yield SecretFile(secret, "connectionString.standard", "mongo-url", f"{name}_FILE")
            case BrokerAddress(_, principal):
                yield SecretFile(kafka_user(principal or ADMIN), "password", "kafka-password", "KAFKA_PASSWORD_FILE")
                yield SecretFile(f"{KAFKA_CLUSTER}-cluster-ca-cert", "ca.crt", "kafka-ca.crt", optional=True)
            case ServerAddress(server):
                yield SecretFile(server.name, "url", f"{server.name}-url", f"{name}_FILE")
            case Secret(secret, is_file):
                own = secret.partition(".")[0]
                yield SecretFile(own, secret, secret, name if is_file else f"{name}_FILE")


def postgres_cluster(database: str) -> str:
    """Return the name of the PostgreSQL cluster with a service's database."""
    return f"{database.removesuffix('_svc')}-postgres"
