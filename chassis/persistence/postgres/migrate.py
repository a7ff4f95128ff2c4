"""Brings a PostgreSQL database to the newest schema: the chassis's tables and the service's own.

Two chains of Alembic revisions, one here and one in the service, each with its own head. Several processes
may start it at once: the first one works and the others wait.
"""

import os
from importlib.resources import files

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from pydantic import PostgresDsn

from chassis.persistence.postgres.locks import MIGRATIONS
from chassis.runtime.setting_files import FileSettings

_ONE_AT_A_TIME = sa.text(f"SELECT pg_advisory_lock({MIGRATIONS})")


class MigrationSettings(FileSettings):
    """Migrations need a database and nothing else."""

    postgres_url: PostgresDsn


def migrate(url: str, service: str) -> None:
    """Upgrade the database at ``url`` for ``service``; nothing is done where it is up to date."""
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        connection.execute(_ONE_AT_A_TIME)
        connection.commit()
        command.upgrade(config(service, connection), "heads")
    engine.dispose()


def config(service: str, connection: sa.Connection) -> Config:
    """Alembic's configuration for a service, on an open connection."""
    shared, own = files("chassis.persistence.postgres") / "migrations", files(service) / "migrations"
    made = Config()
    made.set_main_option("script_location", str(shared))
    made.set_main_option("path_separator", "os")
    made.set_main_option("version_locations", os.pathsep.join([str(shared / "versions"), str(own / "versions")]))
    made.attributes["connection"] = connection
    return made
