"""Registrations through the group commit, in a real database."""

import asyncio

import pytest
from uuid_utils.compat import uuid7

from chassis.http.errors import NotFound
from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from customer_svc.accounts.queries import account_by_email, account_by_id
from customer_svc.links.domain import NewLink
from customer_svc.registration.commands import RegisterAccount
from customer_svc.unit_of_work import CustomerUnitOfWork
from schemas import CustomerRegistered
from tests.customer_svc.factories import published_events, stored_account
from tests.outbox import envelopes, events

Commit = GroupCommit[CustomerUnitOfWork]


def mixed_case_email() -> str:
    return f"Ada-{uuid7()}@example.com"


async def register(commit: Commit, email: str, name: str = "Ada") -> None:
    await commit(RegisterAccount(uuid7(), email, name, "hash", NewLink(uuid7(), str(uuid7())), "en"))


async def test_an_account_is_stored_and_published(shared: Postgres, commit: Commit) -> None:
    email = mixed_case_email()
    await register(commit, email, 'Ada "{}" \\ Lövelace')
    account = await stored_account(shared, email.upper())
    assert await account_by_id(shared, account.id) == account
    assert (account.email, account.role, account.version, account.verified_at) == (email.lower(), "customer", 1, None)
    [envelope] = await envelopes(shared, account.id)
    event = envelope.event
    assert isinstance(event, CustomerRegistered)
    assert (envelope.aggregate_version, event.customer_id) == (1, account.id)
    assert (event.email, event.name) == (account.email, 'Ada "{}" \\ Lövelace')


async def test_an_email_address_has_one_account_in_any_spelling(shared: Postgres, commit: Commit) -> None:
    email = mixed_case_email()
    await register(commit, email)
    first = await stored_account(shared, email)
    await register(commit, email.upper(), "Eve")
    again = await stored_account(shared, email)
    assert (again.id, again.name, again.password_hash) == (first.id, first.name, first.password_hash)
    assert [event.type for event in await published_events(shared, email)] == ["customer.registered"]


async def test_of_concurrent_registrations_one_succeeds_and_one_mail_is_sent(
    shared: Postgres, commit: Commit, shared_url: str
) -> None:
    email, other_database = mixed_case_email(), Postgres(shared_url)
    other_commit = GroupCommit(other_database, CustomerUnitOfWork)
    running = asyncio.create_task(other_commit.run())
    await asyncio.gather(*(register(one, email) for _ in range(6) for one in (commit, other_commit)))
    running.cancel()
    await other_database.close()
    account = await stored_account(shared, email)
    registered = [e for e in await events(shared) if isinstance(e, CustomerRegistered) and e.email == account.email]
    assert [event.customer_id for event in registered] == [account.id]
    assert len(await published_events(shared, email)) == 1
    assert account.contested


async def test_an_unknown_account_is_not_found(shared: Postgres) -> None:
    assert await account_by_email(shared, mixed_case_email()) is None
    with pytest.raises(NotFound):
        await account_by_id(shared, uuid7())
