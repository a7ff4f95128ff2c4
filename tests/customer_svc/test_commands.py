"""What requests do to accounts, through the group commit and in a real database."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from chassis.http.errors import NotFound
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from customer_svc import queries
from customer_svc.commands.accounts import appoint, register_customer, want_address
from customer_svc.domain.account import Account
from customer_svc.domain.link import NewLink
from customer_svc.store import Accounts
from schemas import CustomerRegistered, RegistrationRepeated
from tests.customer_svc.people import account, told_of
from tests.outbox import events, told

Commit = GroupCommit[Accounts]


def new_email() -> str:
    return f"Ada-{uuid7()}@example.com"


async def register(commit: Commit, email: str, name: str = "Ada") -> None:
    account_id, link = uuid7(), NewLink(uuid7(), str(uuid7()))
    await commit(
        lambda unit: register_customer(unit, account_id, email, name, "hash", link, "en"),
        lambda unit: want_address(unit, email),
    )


async def give_role(commit: Commit, email: str) -> Account:
    account_id = uuid7()
    return await commit(
        lambda unit: appoint(unit, account_id, email, "Grace", "other hash", "staff"),
        lambda unit: want_address(unit, email),
    )


async def test_an_account_is_stored_as_it_is_and_told(shared: Postgres, commit: Commit) -> None:
    email = new_email()
    await register(commit, email, 'Ada "{}" \\ Lövelace')
    made = await account(shared, email.upper())
    assert await queries.account_by_id(shared, made.id) == made
    assert (made.email, made.role, made.version, made.verified_at) == (email.lower(), "customer", 1, None)
    [envelope] = await told(shared, made.id)
    event = envelope.event
    assert isinstance(event, CustomerRegistered)
    assert (envelope.aggregate_version, event.customer_id) == (1, made.id)
    assert (event.email, event.name) == (made.email, 'Ada "{}" \\ Lövelace')


async def test_an_address_has_one_account_however_it_is_spelled(shared: Postgres, commit: Commit) -> None:
    email = new_email()
    await register(commit, email)
    first = await account(shared, email)
    await register(commit, email.upper(), "Eve")
    again = await account(shared, email)
    assert (again.id, again.name, again.password_hash) == (first.id, first.name, first.password_hash)
    assert [event.type for event in await told_of(shared, email)] == [
        "customer.registered",
        "customer.registration_repeated",
    ]


async def test_of_registrations_at_once_one_counts_and_its_owner_is_warned_once(
    shared: Postgres, commit: Commit, shared_url: str
) -> None:
    email, other = new_email(), Postgres(shared_url)
    theirs = GroupCommit(other, Accounts)
    running = asyncio.create_task(theirs.run())
    await asyncio.gather(*(register(one, email) for _ in range(6) for one in (commit, theirs)))
    running.cancel()
    await other.close()
    made = await account(shared, email)
    registered = [e for e in await events(shared) if isinstance(e, CustomerRegistered) and e.email == made.email]
    assert [event.customer_id for event in registered] == [made.id]
    assert (await told_of(shared, email))[1:] == [RegistrationRepeated(customer_id=made.id)]


async def test_one_of_us_is_appointed_and_nobody_is_told(shared: Postgres, commit: Commit) -> None:
    made = await give_role(commit, new_email())
    assert made.role == "staff"
    assert await queries.account_by_id(shared, made.id) == made
    assert await events(shared, made.id) == []


async def test_nobody_is_told_that_the_address_of_one_of_us_was_registered(shared: Postgres, commit: Commit) -> None:
    made = await give_role(commit, new_email())
    await register(commit, made.email)
    assert (await account(shared, made.email)).role == "staff"
    assert await events(shared, made.id) == []


async def test_an_appointment_leaves_an_account_that_is_there_as_it_is(shared: Postgres, commit: Commit) -> None:
    email = new_email()
    await register(commit, email)
    customer = await account(shared, email)
    assert await give_role(commit, email) == customer
    assert await queries.account_by_id(shared, customer.id) == customer


async def test_an_unknown_account_is_not_found(shared: Postgres) -> None:
    assert await queries.account_by_email(shared, new_email()) is None
    with pytest.raises(NotFound):
        await queries.account_by_id(shared, uuid7())
