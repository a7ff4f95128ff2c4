"""What is known of a mail's fate, without any I/O."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest

from notifier_svc.domain import (
    ENDED,
    AccountTemplate,
    Customer,
    Mail,
    State,
    Template,
    compose,
    mail_id,
    resend_id,
)
from notifier_svc.errors import NotEnded, NotResendable
from schemas import MailFailed, MailSent

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
CUSTOMER, ORDER, CLAIM, OTHER = (UUID(f"019b7c61-0000-7000-8000-{n:012}") for n in range(1, 5))
QUEUED = compose("receipt", CUSTOMER, str(ORDER), ORDER, {}, NOW)
SENT = MailSent(mail_id=QUEUED.id, template="receipt", customer_id=CUSTOMER, order_id=ORDER)


def mail(state: State, claim: UUID | None = CLAIM, attempts: int = 0, doubts: int = 0) -> Mail:
    return replace(QUEUED, state=state, claim=claim, attempts=attempts, doubts=doubts)


def failed(reason: str) -> MailFailed:
    return MailFailed(mail_id=QUEUED.id, template="receipt", customer_id=CUSTOMER, order_id=ORDER, reason=reason)


def test_a_mail_is_made_of_template_customer_and_thing() -> None:
    assert mail_id("receipt", CUSTOMER, "1") == mail_id("receipt", CUSTOMER, "1")
    others = {mail_id("cancelled", CUSTOMER, "1"), mail_id("receipt", ORDER, "1"), mail_id("receipt", CUSTOMER, "2")}
    assert len(others | {mail_id("receipt", CUSTOMER, "1")}) == 4


def test_a_new_mail_is_due_at_once() -> None:
    assert (QUEUED.state, QUEUED.due_at, QUEUED.attempts, QUEUED.doubts) == ("queued", NOW, 0, 0)


def test_the_claim_that_holds_a_mail_begins_it() -> None:
    assert mail("claimed").begin(CLAIM, LATER) == replace(mail("sending", attempts=1), changed_at=LATER)


def test_beginning_again_with_the_same_claim_changes_nothing() -> None:
    assert mail("sending", attempts=1).begin(CLAIM, LATER) == mail("sending", attempts=1)


@pytest.mark.parametrize("state", ["queued", "claimed", "sending", "sent", "failed"])
def test_another_claim_cannot_begin_it(state: State) -> None:
    assert mail(state).begin(OTHER, LATER) is None


@pytest.mark.parametrize("state", ["queued", "sent", "failed"])
def test_what_is_not_in_hand_cannot_be_begun(state: State) -> None:
    assert mail(state).begin(CLAIM, LATER) is None


@pytest.mark.parametrize("state", ["queued", "claimed", "sending", "failed"])
def test_a_mail_the_server_took_is_sent_whatever_was_thought_of_it(state: State) -> None:
    assert mail(state).delivered(LATER) == (replace(mail("sent"), changed_at=LATER), SENT)


def test_a_mail_is_told_of_as_sent_once() -> None:
    assert mail("sent").delivered(LATER) is None


def test_the_pauses_between_tries_double_up_to_five_minutes() -> None:
    pauses, current = [], mail("claimed")
    for _ in range(10):
        current = current.postpone(CLAIM, "451 later", NOW)
        pauses.append((current.due_at - NOW).total_seconds())
        current = replace(current, state="claimed", claim=CLAIM)
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert current.attempts == 10


def test_a_try_counts_once_whether_it_ended_before_or_after_it_began() -> None:
    before = mail("claimed").postpone(CLAIM, "451", NOW)
    begun = mail("claimed").begin(CLAIM, NOW)
    assert begun is not None
    assert before == begun.postpone(CLAIM, "451", NOW)
    assert (before.state, before.claim, before.attempts, before.doubts) == ("queued", None, 1, 0)


@pytest.mark.parametrize("state", ["queued", "sent", "failed"])
def test_what_is_not_in_hand_cannot_be_postponed(state: State) -> None:
    assert mail(state).postpone(CLAIM, "451", LATER) == mail(state)


def test_another_claim_can_neither_postpone_nor_doubt() -> None:
    assert mail("sending").postpone(OTHER, "451", LATER) == mail("sending")
    assert mail("sending").doubt(OTHER, LATER) == (mail("sending"), None)


def test_the_first_doubt_sends_it_again_at_once() -> None:
    doubted, event = mail("sending", attempts=1).doubt(CLAIM, LATER)
    assert event is None
    assert (doubted.state, doubted.claim, doubted.doubts, doubted.due_at) == ("queued", None, 1, LATER)


def test_the_second_doubt_ends_it() -> None:
    ended, event = mail("sending", attempts=2, doubts=1).doubt(CLAIM, LATER)
    assert ended.state == "failed"
    assert event == failed("in doubt twice: it may have been delivered")


@pytest.mark.parametrize("state", ["queued", "claimed", "sent", "failed"])
def test_what_was_not_being_handed_over_is_not_in_doubt(state: State) -> None:
    assert mail(state).doubt(CLAIM, LATER) == (mail(state), None)


def test_a_refusal_for_good_ends_it() -> None:
    ended, event = mail("sending").fail(CLAIM, "550 no such mailbox", LATER)
    assert (ended.state, ended.error) == ("failed", "550 no such mailbox")
    assert event == failed("550 no such mailbox")


@pytest.mark.parametrize("state", sorted(ENDED))
def test_what_has_ended_does_not_fail(state: State) -> None:
    assert mail(state).fail(CLAIM, "550", LATER) == (mail(state), None)


def test_a_refusal_of_a_process_that_lost_the_mail_changes_nothing() -> None:
    assert mail("sending").fail(ORDER, "550", LATER) == (mail("sending"), None)


def test_a_mail_refused_for_now_for_an_hour_never_ends_and_is_tried_every_five_minutes_at_the_least() -> None:
    current, now = mail("claimed"), NOW
    while now < NOW + timedelta(hours=1):
        current = current.postpone(CLAIM, "451 later", now)
        assert current.due_at - now <= timedelta(minutes=5)
        current, now = replace(current, state="claimed", claim=CLAIM), current.due_at
    assert current.attempts < 25
    assert current.due_at < NOW + timedelta(hours=1, minutes=5)


def test_a_mail_to_a_suppressed_address_is_told_of_as_failed() -> None:
    ended, event = mail("claimed").suppress(CLAIM, "550 5.1.1", LATER)
    assert (ended.state, ended.error) == ("suppressed", "suppressed: 550 5.1.1")
    assert event == failed("suppressed: 550 5.1.1")


def test_a_mail_that_is_not_wanted_is_told_of_to_nobody() -> None:
    assert mail("claimed").decline(CLAIM, LATER) == replace(mail("unwanted"), changed_at=LATER)


@pytest.mark.parametrize("state", ["queued", "sending", *sorted(ENDED)])
def test_only_what_was_just_taken_up_is_withheld(state: State) -> None:
    assert mail(state).suppress(CLAIM, "550", LATER) == (mail(state), None)
    assert mail(state).decline(CLAIM, LATER) == mail(state)
    assert mail("claimed").suppress(OTHER, "550", LATER) == (mail("claimed"), None)
    assert mail("claimed").decline(OTHER, LATER) == mail("claimed")


@pytest.mark.parametrize("template", ["shipped", "delivered", "receipt", "cancelled", "return_received"])
def test_customers_can_do_without_news_of_the_way_and_without_nothing_else(template: Template) -> None:
    one = replace(QUEUED, template=template)
    wants, wants_not = (Customer(CUSTOMER, "a@example.com", "Ada", 1, "en", wish) for wish in (True, False))
    assert not one.unwanted_by(wants)
    assert one.unwanted_by(wants_not) == (template in ("shipped", "delivered"))
    assert not replace(one, resend_of=ORDER).unwanted_by(wants_not)


@pytest.mark.parametrize("state", sorted(ENDED))
def test_what_has_ended_is_sent_again_as_a_mail_of_its_own(state: State) -> None:
    original = replace(mail(state, attempts=3, doubts=1), context={"order_id": str(ORDER)}, error="550")
    made = original.again(OTHER, "eve@example.com", LATER)
    expected = replace(compose("receipt", CUSTOMER, str(ORDER), ORDER, original.context, LATER), id=OTHER)
    assert made == replace(expected, recipient="eve@example.com", resend_of=original.id)


def test_what_becomes_of_a_mail_that_was_sent_again_is_told_as_such() -> None:
    again = replace(mail("sending"), resend_of=OTHER)
    delivered = again.delivered(LATER)
    assert delivered is not None
    assert delivered[1] == SENT.model_copy(update={"resend_of": OTHER})
    _, refused = again.fail(CLAIM, "550", LATER)
    assert refused == failed("550").model_copy(update={"resend_of": OTHER})


@pytest.mark.parametrize("state", ["queued", "claimed", "sending"])
def test_what_is_on_its_way_is_not_sent_again(state: State) -> None:
    with pytest.raises(NotEnded):
        replace(mail(state), context={"a": 1}).again(OTHER, None, LATER)


@pytest.mark.parametrize("template", get_args(AccountTemplate))
def test_a_mail_about_an_account_is_not_sent_again(template: Template) -> None:
    with pytest.raises(NotResendable):
        replace(mail("sent"), template=template, context={"a": 1}).again(OTHER, "eve@example.com", LATER)


def test_what_was_forgotten_is_not_sent_again() -> None:
    with pytest.raises(NotResendable):
        mail("sent").again(OTHER, None, LATER)


def test_a_request_to_send_again_is_one_of_its_mail_its_sender_and_its_key() -> None:
    made = {resend_id(a, b, key) for a in (CUSTOMER, ORDER) for b in (CUSTOMER, ORDER) for key in ("1", "2")}
    assert len(made) == 8
