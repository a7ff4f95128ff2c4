"""The command that makes an account of staff."""

import asyncio
import os
import sys

from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.queries import account_by_email
from customer_svc.links.domain import NewLink
from customer_svc.passwords.hasher import PasswordHasher
from customer_svc.registration.commands import RegisterAccount
from customer_svc.staff.bootstrap import Settings, appoint_staff
from customer_svc.unit_of_work import CustomerUnitOfWork
from tests.customer_svc.factories import PASSWORD


def settings(url: str, password: str = PASSWORD) -> Settings:
    return Settings.model_validate({"postgres_url": url, "bootstrap_password": password})


async def bootstrap(url: str, email: str, role: str, password: str = PASSWORD) -> tuple[int | None, str]:
    """Run the command; return its exit status and what it wrote to stderr."""
    command = [sys.executable, "-m", "customer_svc.staff.bootstrap", email, "--role", role]
    env = {**os.environ, "POSTGRES_URL": url, "BOOTSTRAP_PASSWORD": password}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
    _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_an_appointed_account_can_log_in(shared: Postgres, shared_url: str) -> None:
    appointed = await appoint_staff(settings(shared_url), "Grace@Shop.example", "staff")
    account = await account_by_email(shared, "grace@shop.example")
    assert account == appointed
    assert account.role == "staff"
    assert await PasswordHasher().matches(PASSWORD, account.password_hash)


async def test_a_second_appointment_changes_neither_role_nor_password(shared: Postgres, shared_url: str) -> None:
    first = await appoint_staff(settings(shared_url), "ops@shop.example", "ops")
    again = await appoint_staff(settings(shared_url, "another password"), "ops@shop.example", "staff")
    assert again == first == await account_by_email(shared, "ops@shop.example")


async def test_the_account_of_a_customer_cannot_become_one_of_staff(
    commit: GroupCommit[CustomerUnitOfWork], shared: Postgres, shared_url: str
) -> None:
    email = f"{uuid7()}@shop.example"
    await commit(RegisterAccount(uuid7(), email, "Ada", "no hash", NewLink(uuid7(), email), "en"))
    status, errors = await bootstrap(shared_url, email, "staff")
    assert (status, errors) == (1, f"{email} already has an account, with the role customer\n")
    account = await account_by_email(shared, email)
    assert account
    assert (account.role, account.password_hash) == ("customer", "no hash")


async def test_the_command_succeeds_for_an_account_with_this_role(shared_url: str) -> None:
    email = f"{uuid7()}@shop.example"
    await appoint_staff(settings(shared_url), email, "ops")
    assert await bootstrap(shared_url, email, "ops") == (0, "")


async def test_a_missing_or_short_password_is_named_and_not_shown() -> None:
    status, errors = await bootstrap("postgresql://nowhere/x", "ops@shop.example", "ops", "short-pw")
    assert status == 78
    assert "BOOTSTRAP_PASSWORD" in errors
    assert "short-pw" not in errors


async def test_an_account_is_found_in_every_spelling_of_its_domain(shared: Postgres, shared_url: str) -> None:
    appointed = await appoint_staff(settings(shared_url), "Ops@xn--mnchen-3ya.de", "ops")
    assert appointed.email == "ops@m\u00fcnchen.de"
    assert await account_by_email(shared, "ops@M\u00dcNCHEN.de") == appointed
