"""The command that gives one of us an account."""

import asyncio
import os
import sys

from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from customer_svc import queries
from customer_svc.bootstrap import Settings, appoint_account
from customer_svc.commands.accounts import register_customer, want_address
from customer_svc.domain.link import NewLink
from customer_svc.passwords import Passwords
from customer_svc.store import Accounts


def settings(url: str, password: str = "correct horse battery") -> Settings:
    return Settings.model_validate({"postgres_url": url, "bootstrap_password": password})


async def bootstrapped(
    url: str, email: str, role: str, password: str = "correct horse battery"
) -> tuple[int | None, str]:
    """Run the command; its exit status, and what it says on stderr."""
    command = [sys.executable, "-m", "customer_svc.bootstrap", email, "--role", role]
    env = {**os.environ, "POSTGRES_URL": url, "BOOTSTRAP_PASSWORD": password}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=pipe, stderr=pipe)
    _, errors = await process.communicate()
    return process.returncode, errors.decode()


async def test_an_appointed_account_can_log_in(shared: Postgres, shared_url: str) -> None:
    made = await appoint_account(settings(shared_url), "Grace@Shop.example", "staff")
    account = await queries.account_by_email(shared, "grace@shop.example")
    assert account == made
    assert account.role == "staff"
    assert await Passwords().matches("correct horse battery", account.password_hash)


async def test_to_appoint_again_changes_neither_role_nor_password(shared: Postgres, shared_url: str) -> None:
    first = await appoint_account(settings(shared_url), "ops@shop.example", "ops")
    again = await appoint_account(settings(shared_url, "another password"), "ops@shop.example", "staff")
    assert again == first == await queries.account_by_email(shared, "ops@shop.example")


async def test_the_address_of_a_customer_is_no_account_for_one_of_us(
    commit: GroupCommit[Accounts], shared: Postgres, shared_url: str
) -> None:
    email = f"{uuid7()}@shop.example"
    await commit(
        lambda unit: register_customer(unit, uuid7(), email, "Ada", "no hash", NewLink(uuid7(), email), "en"),
        wants=lambda unit: want_address(unit, email),
    )
    status, told = await bootstrapped(shared_url, email, "staff")
    assert (status, told) == (1, f"{email} has an account with the role customer, which it keeps\n")
    account = await queries.account_by_email(shared, email)
    assert account
    assert (account.role, account.password_hash) == ("customer", "no hash")


async def test_to_appoint_again_from_the_command_line_is_no_error(shared_url: str) -> None:
    email = f"{uuid7()}@shop.example"
    await appoint_account(settings(shared_url), email, "ops")
    assert await bootstrapped(shared_url, email, "ops") == (0, "")


async def test_a_missing_or_short_password_is_named_and_not_shown() -> None:
    status, told = await bootstrapped("postgresql://nowhere/x", "ops@shop.example", "ops", "short-pw")
    assert status == 78
    assert "BOOTSTRAP_PASSWORD" in told
    assert "short-pw" not in told
