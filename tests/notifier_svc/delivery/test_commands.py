"""What delivery records in the mail ledger, through the group commit and in a real database."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.group_commit import GroupCommit
from chassis.persistence.postgres.database import Postgres
from notifier_svc.delivery.commands import (
    BeginSending,
    MarkFailed,
    MarkInDoubt,
    MarkSent,
    PostponeMail,
    ReleaseExpiredClaim,
)
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import MailFailed, MailSent
from tests.databases import committing
from tests.notifier_svc.ledger import queue_due_mail, read_mail, update_mail
from tests.outbox import envelopes, events

Commit = GroupCommit[NotifierUnitOfWork]


@pytest.fixture
async def commit(shared: Postgres) -> AsyncIterator[Commit]:
    async with committing(shared, NotifierUnitOfWork) as commit:
        yield commit


async def claimed_mail(database: Postgres) -> tuple[UUID, UUID]:
    """(mail, claim) of a mail that a process has claimed."""
    mail_id, claim = await queue_due_mail(database), uuid7()
    await update_mail(database, mail_id, f"state = 'claimed', claim = '{claim}'")
    return mail_id, claim


async def test_only_the_process_with_the_claim_begins_sending(shared: Postgres, commit: Commit) -> None:
    mail_id, claim = await claimed_mail(shared)
    assert not await commit(BeginSending(mail_id, uuid7()))
    assert (await read_mail(shared, mail_id)).state == "claimed"
    assert await commit(BeginSending(mail_id, claim))
    begun = await read_mail(shared, mail_id)
    assert (begun.state, begun.attempts) == ("sending", 1)


async def test_a_repeated_command_counts_once(shared: Postgres, commit: Commit) -> None:
    # The reply to the first commit may have been lost with the connection to the database.
    mail_id, claim = await claimed_mail(shared)
    for _ in range(2):
        assert await commit(BeginSending(mail_id, claim))
    for _ in range(2):
        await commit(MarkSent(mail_id))
    sent = await read_mail(shared, mail_id)
    assert (sent.state, sent.attempts) == ("sent", 1)
    assert [type(event) for event in await events(shared, mail_id)] == [MailSent]


async def test_a_postponed_mail_stores_the_reason_and_publishes_nothing(shared: Postgres, commit: Commit) -> None:
    mail_id, claim = await claimed_mail(shared)
    await commit(PostponeMail(mail_id, claim, "451 later"))
    postponed = await read_mail(shared, mail_id)
    assert (postponed.state, postponed.claim, postponed.error) == ("queued", None, "451 later")
    assert await events(shared, mail_id) == []


async def test_a_doubt_recorded_by_a_process_that_lost_its_claim_changes_nothing(
    shared: Postgres, commit: Commit
) -> None:
    mail_id, claim = await claimed_mail(shared)
    await commit(BeginSending(mail_id, claim))
    before = await read_mail(shared, mail_id)
    await commit(MarkInDoubt(mail_id, uuid7()))
    assert await read_mail(shared, mail_id) == before


async def test_a_mail_whose_sending_began_after_its_claim_was_found_expired_is_in_doubt(
    shared: Postgres, commit: Commit
) -> None:
    mail_id, claim = await claimed_mail(shared)
    await commit(BeginSending(mail_id, claim))
    assert await commit(ReleaseExpiredClaim(mail_id, claim))
    doubted = await read_mail(shared, mail_id)
    assert (doubted.state, doubted.doubts) == ("queued", 1)


@pytest.mark.parametrize("state", ["queued", "claimed", "sending", "sent", "failed"])
async def test_a_mail_that_another_process_has_claimed_meanwhile_is_not_released(
    shared: Postgres, commit: Commit, state: str
) -> None:
    mail_id, _ = await claimed_mail(shared)
    await update_mail(shared, mail_id, f"state = '{state}'")
    before = await read_mail(shared, mail_id)
    assert not await commit(ReleaseExpiredClaim(mail_id, uuid7()))
    assert await read_mail(shared, mail_id) == before


async def test_a_mail_accepted_after_it_failed_is_published_with_the_next_version(
    shared: Postgres, commit: Commit
) -> None:
    mail_id, claim = await claimed_mail(shared)
    await commit(BeginSending(mail_id, claim))
    await commit(MarkFailed(mail_id, claim, "in doubt twice"))
    await commit(MarkSent(mail_id))
    assert (await read_mail(shared, mail_id)).state == "sent"
    assert [(type(e.event), e.aggregate_version) for e in await envelopes(shared, mail_id)] == [
        (MailFailed, 1),
        (MailSent, 2),
    ]


async def test_a_command_about_an_unknown_mail_is_an_error(commit: Commit) -> None:
    with pytest.raises(LookupError):
        await commit(MarkSent(uuid7()))
