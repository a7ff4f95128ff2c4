"""The command that gives one of us an account."""

import asyncio
import os
import sys

from chassis.sql import Postgres
from customer_svc import queries
from customer_svc.bootstrap import Settings, appoint_account
from customer_svc.passwords import Passwords


def settings(url: str, password: str = "correct horse battery") -> Settings:
    return Settings.model_validate({"postgres_url": url, "bootstrap_password": password})


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


async def test_a_missing_or_short_password_is_named_and_not_shown() -> None:
    command = [sys.executable, "-m", "customer_svc.bootstrap", "ops@shop.example", "--role", "ops"]
    env = {**os.environ, "POSTGRES_URL": "postgresql://nowhere/x", "BOOTSTRAP_PASSWORD": "short-pw"}
    process = await asyncio.create_subprocess_exec(*command, env=env, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 78
    assert b"BOOTSTRAP_PASSWORD" in errors
    assert b"short-pw" not in errors
