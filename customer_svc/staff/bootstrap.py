"""Makes an account of staff: ``BOOTSTRAP_PASSWORD=… python -m customer_svc.staff.bootstrap EMAIL --role staff``."""

import asyncio
from typing import Annotated

import typer
from uuid_utils.compat import uuid7

from chassis.email_address import normalised_email
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from chassis.persistence.postgres.migrate import MigrationSettings
from chassis.runtime.settings import load
from customer_svc import SERVICE
from customer_svc.accounts.domain import Account
from customer_svc.accounts.dto import NewPassword
from customer_svc.audit_log.domain import AuditEntry
from customer_svc.audit_log.queries import add_entry
from customer_svc.passwords.hasher import PasswordHasher
from customer_svc.staff.commands import AppointStaff
from customer_svc.staff.domain import StaffRole
from customer_svc.unit_of_work import CustomerUnitOfWork


class Settings(MigrationSettings):
    """The database, and the password, which other users of the machine could read on a command line."""

    bootstrap_password: NewPassword


def bootstrap(
    email: Annotated[str, typer.Argument(help="The e-mail address to log in with.")],
    role: Annotated[StaffRole, typer.Option(help="The role of the account.")],
    name: Annotated[str, typer.Option(help="The name to show.")] = "Staff",
) -> None:
    """Make a staff or ops account with the password in BOOTSTRAP_PASSWORD.

    An existing account is not changed; the command succeeds if it has this role, and fails if it has another.
    """
    account = asyncio.run(appoint_staff(load(Settings, SERVICE), email, role, name))
    if account.role != role:
        typer.echo(f"{normalised_email(email)} already has an account, with the role {account.role}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{account.email} has the role {account.role}")


async def appoint_staff(settings: Settings, email: str, role: StaffRole, name: str = "Staff") -> Account:
    """Make the account, or return the existing one."""
    database = Postgres(str(settings.postgres_url))
    commit = GroupCommit(database, CustomerUnitOfWork)
    committing = asyncio.create_task(commit.run())
    password_hash = await PasswordHasher().hash(settings.bootstrap_password.get_secret_value())
    account: Account = await commit(AppointStaff(new_id := uuid7(), email, name, password_hash, role))
    committing.cancel()
    if account.id == new_id:
        await add_entry(database, AuditEntry("staff.appoint", "granted", subject=account.id, why=f"role {role}"))
    await database.close()
    return account


if __name__ == "__main__":
    typer.run(bootstrap)
