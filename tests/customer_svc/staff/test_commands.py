"""Appointing staff through the group commit, in a real database."""

from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.domain import Account
from customer_svc.accounts.queries import account_by_id
from customer_svc.links.domain import NewLink
from customer_svc.registration.commands import RegisterAccount
from customer_svc.staff.commands import AppointStaff
from customer_svc.unit_of_work import CustomerUnitOfWork
from tests.customer_svc.factories import new_email, stored_account
from tests.outbox import events

Commit = GroupCommit[CustomerUnitOfWork]


async def register(commit: Commit, email: str) -> None:
    await commit(RegisterAccount(uuid7(), email, "Ada", "hash", NewLink(uuid7(), str(uuid7())), "en"))


async def appoint(commit: Commit, email: str) -> Account:
    account: Account = await commit(AppointStaff(uuid7(), email, "Grace", "other hash", "staff"))
    return account


async def test_a_staff_account_is_stored_and_not_published(shared: Postgres, commit: Commit) -> None:
    account = await appoint(commit, new_email())
    assert account.role == "staff"
    assert await account_by_id(shared, account.id) == account
    assert await events(shared, account.id) == []


async def test_a_registration_of_the_email_address_of_staff_is_not_published(
    shared: Postgres, commit: Commit
) -> None:
    account = await appoint(commit, new_email())
    await register(commit, account.email)
    assert (await stored_account(shared, account.email)).role == "staff"
    assert await events(shared, account.id) == []


async def test_an_appointment_does_not_change_an_existing_account(shared: Postgres, commit: Commit) -> None:
    email = new_email()
    await register(commit, email)
    customer = await stored_account(shared, email)
    assert await appoint(commit, email) == customer
    assert await account_by_id(shared, customer.id) == customer
