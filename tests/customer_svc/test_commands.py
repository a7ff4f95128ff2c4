"""What requests do to accounts, through the group commit and in a real database."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from chassis.errors import NotFound
from chassis.groupcommit import GroupCommit
from chassis.sql import Postgres
from customer_svc import queries
from customer_svc.commands import appoint, register_customer
from customer_svc.domain import Account, normalised
from customer_svc.errors import EmailTaken
from customer_svc.store import Accounts
from schemas import CustomerRegistered
from tests.outbox import events, told

Commit = GroupCommit[Accounts]


def new_email() -> str:
    return f"Ada-{uuid7()}@example.com"


async def register(commit: Commit, email: str, name: str = "Ada") -> Account:
    account_id = uuid7()
    return await commit(
        lambda unit: register_customer(unit, account_id, email, name, "hash"),
        lambda unit: unit.by_email.want(normalised(email)),
    )


async def give_role(commit: Commit, email: str) -> Account:
    account_id = uuid7()
    return await commit(
        lambda unit: appoint(unit, account_id, email, "Grace", "other hash", "staff"),
        lambda unit: unit.by_email.want(normalised(email)),
    )


async def test_an_account_is_stored_as_it_is_and_told(shared: Postgres, commit: Commit) -> None:
    email = new_email()
    account = await register(commit, email, 'Ada "{}" \\ Lövelace')
    assert await queries.account_by_id(shared, account.id) == account
    assert await queries.account_by_email(shared, email.upper()) == account
    assert (account.email, account.role, account.version) == (email.lower(), "customer", 1)
    [envelope] = await told(shared, account.id)
    assert envelope.aggregate_version == 1
    assert envelope.event == CustomerRegistered(customer_id=account.id, email=account.email, name=account.name)


async def test_an_address_has_one_account_however_it_is_spelled(shared: Postgres, commit: Commit) -> None:
    email = new_email()
    first = await register(commit, email)
    with pytest.raises(EmailTaken):
        await register(commit, email.upper(), "Eve")
    assert await queries.account_by_email(shared, email) == first


async def test_of_registrations_at_once_one_counts(shared: Postgres, commit: Commit, shared_url: str) -> None:
    email, other = new_email(), Postgres(shared_url)
    theirs = GroupCommit(other, Accounts)
    running = asyncio.create_task(theirs.run())
    tries = [register(one, email) for _ in range(6) for one in (commit, theirs)]
    done = await asyncio.gather(*tries, return_exceptions=True)
    running.cancel()
    await other.close()
    [account] = [one for one in done if isinstance(one, Account)]
    assert [type(one) for one in done].count(EmailTaken) == 11
    assert await queries.account_by_email(shared, email) == account
    registered = [e for e in await events(shared) if isinstance(e, CustomerRegistered) and e.email == account.email]
    assert [event.customer_id for event in registered] == [account.id]


async def test_one_of_us_is_appointed_and_nobody_is_told(shared: Postgres, commit: Commit) -> None:
    account = await give_role(commit, new_email())
    assert account.role == "staff"
    assert await queries.account_by_id(shared, account.id) == account
    assert await events(shared, account.id) == []


async def test_an_appointment_leaves_an_account_that_is_there_as_it_is(shared: Postgres, commit: Commit) -> None:
    customer = await register(commit, new_email())
    assert await give_role(commit, customer.email) == customer
    assert await queries.account_by_id(shared, customer.id) == customer


async def test_an_unknown_account_is_not_found(shared: Postgres) -> None:
    assert await queries.account_by_email(shared, new_email()) is None
    with pytest.raises(NotFound):
        await queries.account_by_id(shared, uuid7())
