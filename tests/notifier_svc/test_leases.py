"""Mails in the hands of several processes, of which some vanish or are slow."""

from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from tests.notifier_svc.conftest import Sending
from tests.notifier_svc.ledger import all_mails, change, due_mail, until
from tests.notifier_svc.postoffice import Behaviour, post_office

LAPSED = "lease_until = now() - interval '1 second'"
HELD = "lease_until = now() + interval '1 hour'"


async def test_a_mail_left_while_sending_is_sent_once_more_as_the_same_mail(
    postgres: Postgres, sending: Sending
) -> None:
    mail_id = await due_mail(postgres)
    await change(postgres, mail_id, f"state = 'sending', claim = '{uuid7()}', attempts = 1, {LAPSED}")
    async with post_office() as office, sending(office.url):
        [sent] = await until(postgres, ["sent"])
    assert (sent.attempts, sent.doubts) == (2, 1)
    assert office.ids == [f"<{mail_id}@shopstream.example>"]


async def test_a_mail_left_while_sending_a_second_time_is_left_for_people(
    postgres: Postgres, sending: Sending
) -> None:
    mail_id = await due_mail(postgres)
    await change(postgres, mail_id, f"state = 'sending', claim = '{uuid7()}', attempts = 2, doubts = 1, {LAPSED}")
    async with post_office() as office, sending(office.url):
        [failed] = await until(postgres, ["failed"])
    assert failed.error == "in doubt twice: it may have been delivered"
    assert office.copies == []


async def test_a_mail_left_before_sending_is_sent_without_a_doubt(postgres: Postgres, sending: Sending) -> None:
    mail_id = await due_mail(postgres)
    await change(postgres, mail_id, f"state = 'claimed', claim = '{uuid7()}', {LAPSED}")
    async with post_office() as office, sending(office.url):
        [sent] = await until(postgres, ["sent"])
    assert sent.doubts == 0
    assert len(office.copies) == 1


async def test_a_mail_in_other_hands_is_left_to_them(postgres: Postgres, sending: Sending) -> None:
    theirs = await due_mail(postgres)
    await change(postgres, theirs, f"state = 'sending', claim = '{uuid7()}', {HELD}")
    await due_mail(postgres)
    async with post_office() as office, sending(office.url):
        await until(postgres, ["sending", "sent"])
    assert len(office.copies) == 1
    assert f"<{theirs}@shopstream.example>" not in office.ids


async def test_two_processes_share_the_work_and_send_each_mail_once(postgres: Postgres, sending: Sending) -> None:
    expected = {f"<{await due_mail(postgres)}@shopstream.example>" for _ in range(25)}
    async with post_office() as office, sending(office.url), sending(office.url):
        found = await until(postgres, ["sent"] * 25)
    assert len(office.ids) == 25
    assert set(office.ids) == expected
    assert {(one.attempts, one.doubts) for one in found} == {(1, 0)}


async def test_a_slow_server_makes_no_copies(postgres: Postgres, sending: Sending) -> None:
    # One connection cannot hand over within their lease all that is taken up at once: 4 mails of 0.7 s.
    for _ in range(6):
        await due_mail(postgres)
    slow: list[Behaviour] = ["dawdle"] * 6
    async with post_office(*slow) as office, sending(office.url, connections=1, lease_seconds=2.5):
        found = await until(postgres, ["sent"] * 6)
    assert len(office.ids) == len(set(office.ids)) == 6
    assert {one.doubts for one in found} == {0}


async def test_a_sender_that_is_stopped_lets_the_mail_in_hand_arrive_and_gives_the_others_back(
    postgres: Postgres, sending: Sending
) -> None:
    for _ in range(3):
        await due_mail(postgres)
    async with post_office("dawdle") as office:
        async with sending(office.url, connections=1):
            await until(postgres, ["sending", "claimed", "claimed"])
        found = await all_mails(postgres)
    assert sorted(one.state for one in found) == ["queued", "queued", "sent"]
    assert {one.doubts for one in found} == {0}
    assert len(office.copies) == 1
