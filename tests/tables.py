"""Databases before and after migrations."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql


@asynccontextmanager
async def empty_database(postgres: str) -> AsyncIterator[str]:
    """The URL of an empty PostgreSQL database."""
    name = f"empty_{uuid4().hex[:12]}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield f"{postgres.rpartition('/')[0]}/{name}"
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def migrated(service: str, env: Mapping[str, str], *, at_once: int = 1) -> None:
    """Run the migrations of a service as a process, or as several at the same time."""
    command = [sys.executable, "-m", f"{service}.migrations"]
    quiet = asyncio.subprocess.PIPE
    running = [
        await asyncio.create_subprocess_exec(*command, env={**os.environ, **env}, stdout=quiet, stderr=quiet)
        for _ in range(at_once)
    ]
    for process in running:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()


def differences(url: str, *definitions: sa.MetaData) -> list[Any]:
    """The differences between a PostgreSQL database and these table definitions."""
    expected = sa.MetaData()
    for metadata in definitions:
        for table in metadata.tables.values():
            table.to_metadata(expected)
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        found = compare_metadata(MigrationContext.configure(connection, opts=options), expected)
    engine.dispose()
    return list(found)
