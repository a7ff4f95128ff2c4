"""Claims of several processes, some of which end or are slow."""

from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from tests.notifier_svc.apps import Sending
from tests.notifier_svc.ledger import all_mails, queue_due_mail, update_mail, wait_for_states
from tests.notifier_svc.smtp_server import Behaviour, smtp_server

EXPIRED = "lease_until = now() - interval '1 second'"
NOT_EXPIRED = "lease_until = now() + interval '1 hour'"


async def test_a_mail_whose_process_ended_while_sending_is_sent_once_more_with_the_same_message_id(
    postgres: Postgres, sending: Sending
) -> None:
    mail_id = await queue_due_mail(postgres)
    await update_mail(postgres, mail_id, f"state = 'sending', claim = '{uuid7()}', attempts = 1, {EXPIRED}")
    async with smtp_server() as server, sending(server.url):
        [sent] = await wait_for_states(postgres, ["sent"])
    assert (sent.attempts, sent.doubts) == (2, 1)
    assert server.message_ids == [f"<{mail_id}@shopstream.example>"]


async def test_a_mail_whose_process_ended_while_sending_twice_fails(postgres: Postgres, sending: Sending) -> None:
    mail_id = await queue_due_mail(postgres)
    await update_mail(
        postgres, mail_id, f"state = 'sending', claim = '{uuid7()}', attempts = 2, doubts = 1, {EXPIRED}"
    )
    async with smtp_server() as server, sending(server.url):
        [failed] = await wait_for_states(postgres, ["failed"])
    assert failed.error == "in doubt twice: it may have been delivered"
    assert server.messages == []


async def test_a_mail_whose_process_ended_before_sending_is_sent_without_doubt(
    postgres: Postgres, sending: Sending
) -> None:
    mail_id = await queue_due_mail(postgres)
    await update_mail(postgres, mail_id, f"state = 'claimed', claim = '{uuid7()}', {EXPIRED}")
    async with smtp_server() as server, sending(server.url):
        [sent] = await wait_for_states(postgres, ["sent"])
    assert sent.doubts == 0
    assert len(server.messages) == 1


async def test_a_mail_that_another_process_has_claimed_is_left_alone(postgres: Postgres, sending: Sending) -> None:
    theirs = await queue_due_mail(postgres)
    await update_mail(postgres, theirs, f"state = 'sending', claim = '{uuid7()}', {NOT_EXPIRED}")
    await queue_due_mail(postgres)
    async with smtp_server() as server, sending(server.url):
        await wait_for_states(postgres, ["sending", "sent"])
    assert len(server.messages) == 1
    assert f"<{theirs}@shopstream.example>" not in server.message_ids


async def test_two_processes_share_the_work_and_send_each_mail_once(postgres: Postgres, sending: Sending) -> None:
    expected = {f"<{await queue_due_mail(postgres)}@shopstream.example>" for _ in range(25)}
    async with smtp_server() as server, sending(server.url), sending(server.url):
        found = await wait_for_states(postgres, ["sent"] * 25)
    assert len(server.message_ids) == 25
    assert set(server.message_ids) == expected
    assert {(one.attempts, one.doubts) for one in found} == {(1, 0)}


async def test_a_slow_server_causes_no_copies(postgres: Postgres, sending: Sending) -> None:
    # One connection cannot send within the lease all that is claimed at once: 4 mails of 0.7 s.
    for _ in range(6):
        await queue_due_mail(postgres)
    slow: list[Behaviour] = ["reply slowly"] * 6
    async with smtp_server(*slow) as server, sending(server.url, connections=1, lease_seconds=2.5):
        found = await wait_for_states(postgres, ["sent"] * 6)
    assert len(server.message_ids) == len(set(server.message_ids)) == 6
    assert {one.doubts for one in found} == {0}


async def test_a_sender_that_stops_finishes_the_current_mail_and_releases_the_others(
    postgres: Postgres, sending: Sending
) -> None:
    for _ in range(3):
        await queue_due_mail(postgres)
    async with smtp_server("reply slowly") as server:
        async with sending(server.url, connections=1):
            await wait_for_states(postgres, ["sending", "claimed", "claimed"])
        found = await all_mails(postgres)
    assert sorted(one.state for one in found) == ["queued", "queued", "sent"]
    assert {one.doubts for one in found} == {0}
    assert len(server.messages) == 1
