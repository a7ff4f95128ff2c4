"""What the sender writes in the ledger, through the group commit and in a real database."""

from collections.abc import AsyncIterator, Callable
from typing import TypeVar
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from notifier_svc.commands import begin_sending, mark_doubtful, mark_failed, mark_sent, postpone, take_back
from notifier_svc.store import Ledger
from schemas import MailFailed, MailSent
from tests.databases import committing
from tests.notifier_svc.ledger import change, due_mail, mail
from tests.outbox import events, told

R = TypeVar("R")


@pytest.fixture
async def commit(shared: Postgres) -> AsyncIterator[GroupCommit[Ledger]]:
    async with committing(shared, Ledger) as commit:
        yield commit


async def do(commit: GroupCommit[Ledger], mail_id: UUID, act: Callable[[Ledger], R]) -> R:
    return await commit(act, lambda ledger: ledger.mails.prefetch(mail_id))


async def claimed(database: Postgres) -> tuple[UUID, UUID]:
    """(mail, claim) of a mail that a process has taken up."""
    mail_id, claim = await due_mail(database), uuid7()
    await change(database, mail_id, f"state = 'claimed', claim = '{claim}'")
    return mail_id, claim


async def test_a_mail_is_begun_by_the_process_that_has_it(shared: Postgres, commit: GroupCommit[Ledger]) -> None:
    mail_id, claim = await claimed(shared)
    assert not await do(commit, mail_id, lambda ledger: begin_sending(ledger, mail_id, uuid7()))
    assert (await mail(shared, mail_id)).state == "claimed"
    assert await do(commit, mail_id, lambda ledger: begin_sending(ledger, mail_id, claim))
    begun = await mail(shared, mail_id)
    assert (begun.state, begun.attempts) == ("sending", 1)


async def test_what_is_said_twice_counts_once(shared: Postgres, commit: GroupCommit[Ledger]) -> None:
    # The answer of the first time may have been lost with the connection to the database.
    mail_id, claim = await claimed(shared)
    for _ in range(2):
        assert await do(commit, mail_id, lambda ledger: begin_sending(ledger, mail_id, claim))
    for _ in range(2):
        await do(commit, mail_id, lambda ledger: mark_sent(ledger, mail_id))
    sent = await mail(shared, mail_id)
    assert (sent.state, sent.attempts) == ("sent", 1)
    assert [type(event) for event in await events(shared, mail_id)] == [MailSent]


async def test_a_postponed_mail_keeps_why_and_tells_nobody(shared: Postgres, commit: GroupCommit[Ledger]) -> None:
    mail_id, claim = await claimed(shared)
    await do(commit, mail_id, lambda ledger: postpone(ledger, mail_id, claim, "451 later"))
    later = await mail(shared, mail_id)
    assert (later.state, later.claim, later.error) == ("queued", None, "451 later")
    assert await events(shared, mail_id) == []


async def test_a_doubt_of_a_process_that_lost_the_mail_changes_nothing(
    shared: Postgres, commit: GroupCommit[Ledger]
) -> None:
    mail_id, claim = await claimed(shared)
    await do(commit, mail_id, lambda ledger: begin_sending(ledger, mail_id, claim))
    before = await mail(shared, mail_id)
    await do(commit, mail_id, lambda ledger: mark_doubtful(ledger, mail_id, uuid7()))
    assert await mail(shared, mail_id) == before


async def test_a_mail_begun_after_its_lease_was_found_lapsed_is_in_doubt(
    shared: Postgres, commit: GroupCommit[Ledger]
) -> None:
    mail_id, claim = await claimed(shared)
    await do(commit, mail_id, lambda ledger: begin_sending(ledger, mail_id, claim))
    assert await do(commit, mail_id, lambda ledger: take_back(ledger, mail_id, claim))
    doubted = await mail(shared, mail_id)
    assert (doubted.state, doubted.doubts) == ("queued", 1)


@pytest.mark.parametrize("state", ["queued", "claimed", "sending", "sent", "failed"])
async def test_a_mail_that_others_have_by_now_is_not_taken_back(
    shared: Postgres, commit: GroupCommit[Ledger], state: str
) -> None:
    mail_id, _ = await claimed(shared)
    await change(shared, mail_id, f"state = '{state}'")
    before = await mail(shared, mail_id)
    assert not await do(commit, mail_id, lambda ledger: take_back(ledger, mail_id, uuid7()))
    assert await mail(shared, mail_id) == before


async def test_a_mail_that_arrived_after_it_was_given_up_is_told_under_the_next_version(
    shared: Postgres, commit: GroupCommit[Ledger]
) -> None:
    mail_id, claim = await claimed(shared)
    await do(commit, mail_id, lambda ledger: begin_sending(ledger, mail_id, claim))
    await do(commit, mail_id, lambda ledger: mark_failed(ledger, mail_id, claim, "in doubt twice"))
    await do(commit, mail_id, lambda ledger: mark_sent(ledger, mail_id))
    assert (await mail(shared, mail_id)).state == "sent"
    assert [(type(e.event), e.aggregate_version) for e in await told(shared, mail_id)] == [
        (MailFailed, 1),
        (MailSent, 2),
    ]


async def test_a_mail_that_is_not_in_the_ledger_is_a_mistake(commit: GroupCommit[Ledger]) -> None:
    nobodys = uuid7()
    with pytest.raises(LookupError):
        await do(commit, nobodys, lambda ledger: mark_sent(ledger, nobodys))
