"""Gives one of us an account: ``BOOTSTRAP_PASSWORD=… python -m customer_svc.bootstrap EMAIL --role staff``."""

import asyncio
from typing import Annotated, Literal

import typer
from pydantic import Field, SecretStr
from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.migrate import MigrationSettings
from chassis.runtime.settings import load
from customer_svc import SERVICE
from customer_svc.commands.accounts import appoint, want_address
from customer_svc.domain.account import Account
from customer_svc.passwords import Passwords
from customer_svc.store import Accounts


class Settings(MigrationSettings):
    """The database, and the password, which does not belong on a command line that others can read."""

    bootstrap_password: Annotated[SecretStr, Field(min_length=10)]


def bootstrap(
    email: Annotated[str, typer.Argument(help="The address to log in with.")],
    role: Annotated[Literal["staff", "ops"], typer.Option(help="What the account may do.")],
    name: Annotated[str, typer.Option(help="A name to show.")] = "Staff",
) -> None:
    """Make a staff or ops account with the password in BOOTSTRAP_PASSWORD.

    One that is there stays as it is: that is well if it has this role, and an error if it has another.
    """
    account = asyncio.run(appoint_account(load(Settings, SERVICE), email, role, name))
    if account.role != role:
        typer.echo(f"{account.email} has an account with the role {account.role}, which it keeps", err=True)
        raise typer.Exit(1)
    typer.echo(f"{account.email} has the role {account.role}")


async def appoint_account(
    settings: Settings, email: str, role: Literal["staff", "ops"], name: str = "Staff"
) -> Account:
    """Make the account, or return the one that is there."""
    database = Postgres(str(settings.postgres_url))
    commit = GroupCommit(database, Accounts)
    committing = asyncio.create_task(commit.run())
    password_hash = await Passwords().hashed(settings.bootstrap_password.get_secret_value())
    account = await commit(
        lambda unit: appoint(unit, uuid7(), email, name, password_hash, role),
        wants=lambda unit: want_address(unit, email),
    )
    committing.cancel()
    await database.close()
    return account


if __name__ == "__main__":
    typer.run(bootstrap)
