"""The state machine of a mail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import pytest

from notifier_svc.errors import MailInProgress, MailLinkExpired, MailNotResendable
from notifier_svc.mails.domain import (
    CONFIRMATION_VALIDITY,
    FINAL_STATES,
    Mail,
    State,
    compose,
    farewell,
    mail_id,
    resend_id,
)
from notifier_svc.rendering.domain import AccountTemplate, Template
from notifier_svc.replicas.domain import Customer
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


def test_the_id_of_a_mail_depends_on_template_customer_and_key() -> None:
    assert mail_id("receipt", CUSTOMER, "1") == mail_id("receipt", CUSTOMER, "1")
    others = {mail_id("cancelled", CUSTOMER, "1"), mail_id("receipt", ORDER, "1"), mail_id("receipt", CUSTOMER, "2")}
    assert len(others | {mail_id("receipt", CUSTOMER, "1")}) == 4


def test_a_new_mail_is_due_at_once() -> None:
    assert (QUEUED.state, QUEUED.due_at, QUEUED.attempts, QUEUED.doubts) == ("queued", NOW, 0, 0)


def test_the_holder_of_the_claim_begins_sending() -> None:
    assert mail("claimed").begin_sending(CLAIM, LATER) == replace(mail("sending", attempts=1), changed_at=LATER)


def test_beginning_again_with_the_same_claim_changes_nothing() -> None:
    assert mail("sending", attempts=1).begin_sending(CLAIM, LATER) == mail("sending", attempts=1)


@pytest.mark.parametrize("state", ["queued", "claimed", "sending", "sent", "failed"])
def test_another_claim_cannot_begin_sending(state: State) -> None:
    assert mail(state).begin_sending(OTHER, LATER) is None


@pytest.mark.parametrize("state", ["queued", "sent", "failed"])
def test_a_mail_that_is_not_claimed_cannot_be_sent(state: State) -> None:
    assert mail(state).begin_sending(CLAIM, LATER) is None


@pytest.mark.parametrize("state", ["queued", "claimed", "sending", "failed"])
def test_a_mail_that_the_server_has_accepted_is_sent_whatever_its_state_was(state: State) -> None:
    assert mail(state).mark_sent(LATER) == (replace(mail("sent"), changed_at=LATER), SENT)


def test_a_mail_is_published_as_sent_once() -> None:
    assert mail("sent").mark_sent(LATER) is None


def test_the_pauses_between_attempts_double_up_to_five_minutes() -> None:
    pauses, current = [], mail("claimed")
    for _ in range(10):
        current, _event = current.postpone(CLAIM, "451 later", NOW)
        pauses.append((current.due_at - NOW).total_seconds())
        current = replace(current, state="claimed", claim=CLAIM)
    assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert current.attempts == 10


def test_an_attempt_counts_once_whether_it_ended_before_or_after_the_handover_began() -> None:
    before, event = mail("claimed").postpone(CLAIM, "451", NOW)
    begun = mail("claimed").begin_sending(CLAIM, NOW)
    assert begun is not None
    assert (before, event) == begun.postpone(CLAIM, "451", NOW) == (before, None)
    assert (before.state, before.claim, before.attempts, before.doubts) == ("queued", None, 1, 0)


@pytest.mark.parametrize("state", ["queued", "sent", "failed"])
def test_a_mail_that_is_not_claimed_cannot_be_postponed(state: State) -> None:
    assert mail(state).postpone(CLAIM, "451", LATER) == (mail(state), None)


def test_another_claim_can_neither_postpone_a_mail_nor_mark_it_in_doubt() -> None:
    assert mail("sending").postpone(OTHER, "451", LATER) == (mail("sending"), None)
    assert mail("sending").mark_in_doubt(OTHER, LATER) == (mail("sending"), None)


def test_after_the_first_doubt_a_mail_is_sent_again_at_once() -> None:
    doubted, event = mail("sending", attempts=1).mark_in_doubt(CLAIM, LATER)
    assert event is None
    assert (doubted.state, doubted.claim, doubted.doubts, doubted.due_at) == ("queued", None, 1, LATER)


def test_after_the_second_doubt_a_mail_fails() -> None:
    ended, event = mail("sending", attempts=2, doubts=1).mark_in_doubt(CLAIM, LATER)
    assert ended.state == "failed"
    assert event == failed("in doubt twice: it may have been delivered")


@pytest.mark.parametrize("state", ["queued", "claimed", "sent", "failed"])
def test_a_mail_that_was_not_being_handed_over_is_not_in_doubt(state: State) -> None:
    assert mail(state).mark_in_doubt(CLAIM, LATER) == (mail(state), None)


def test_a_mail_that_is_refused_permanently_fails() -> None:
    ended, event = mail("sending").fail(CLAIM, "550 no such mailbox", LATER)
    assert (ended.state, ended.error) == ("failed", "550 no such mailbox")
    assert event == failed("550 no such mailbox")


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
def test_a_mail_in_a_final_state_does_not_fail(state: State) -> None:
    assert mail(state).fail(CLAIM, "550", LATER) == (mail(state), None)


def test_a_refusal_recorded_by_a_process_that_lost_its_claim_changes_nothing() -> None:
    assert mail("sending").fail(ORDER, "550", LATER) == (mail("sending"), None)


def test_a_mail_refused_temporarily_for_an_hour_is_retried_at_least_every_five_minutes() -> None:
    current, now = mail("claimed"), NOW
    while now < NOW + timedelta(hours=1):
        current, _event = current.postpone(CLAIM, "451 later", now)
        assert current.due_at - now <= timedelta(minutes=5)
        current, now = replace(current, state="claimed", claim=CLAIM), current.due_at
    assert current.attempts < 25
    assert current.due_at < NOW + timedelta(hours=1, minutes=5)


def test_the_confirmation_of_an_erasure_is_postponed_for_an_hour_and_says_then_why_it_was_not_sent() -> None:
    queued = farewell(Customer(CUSTOMER, "ada@example.com", "Ada", 1, "de"), NOW)
    claimed, last = replace(queued, state="claimed", claim=CLAIM), NOW + CONFIRMATION_VALIDITY
    later, event = claimed.postpone(CLAIM, "cannot connect", last - timedelta(seconds=1))
    assert (later.state, later.recipient, event) == ("queued", "ada@example.com", None)
    ended, event = claimed.postpone(CLAIM, "cannot connect", last)
    why = "not sent in time: cannot connect"
    assert (ended.state, ended.context, ended.recipient, ended.error) == ("failed", {}, None, why)
    assert event
    assert event.reason == why


def test_a_mail_to_a_suppressed_address_is_published_as_failed() -> None:
    ended, event = mail("claimed").suppress(CLAIM, "550 5.1.1", LATER)
    assert (ended.state, ended.error) == ("suppressed", "suppressed: 550 5.1.1")
    assert event == failed("suppressed: 550 5.1.1")


def test_nothing_is_published_about_an_unwanted_mail() -> None:
    assert mail("claimed").mark_unwanted(CLAIM, LATER) == replace(mail("unwanted"), changed_at=LATER)


def test_a_withheld_mail_is_final_and_can_be_sent_again() -> None:
    one = replace(QUEUED, context={"order_id": str(ORDER)}).withhold()
    assert one.state in FINAL_STATES
    assert one.resend(OTHER, None, LATER).state == "queued"


@pytest.mark.parametrize("state", ["queued", "sending", *sorted(FINAL_STATES)])
def test_only_a_claimed_mail_can_end_unattempted(state: State) -> None:
    assert mail(state).suppress(CLAIM, "550", LATER) == (mail(state), None)
    assert mail(state).mark_unwanted(CLAIM, LATER) == mail(state)
    assert mail("claimed").suppress(OTHER, "550", LATER) == (mail("claimed"), None)
    assert mail("claimed").mark_unwanted(OTHER, LATER) == mail("claimed")


@pytest.mark.parametrize("template", ["shipped", "delivered", "receipt", "cancelled", "return_received"])
def test_customers_can_switch_off_shipping_updates_and_nothing_else(template: Template) -> None:
    one = replace(QUEUED, template=template)
    with_updates, without_updates = (
        Customer(CUSTOMER, "a@example.com", "Ada", 1, "en", chosen) for chosen in (True, False)
    )
    assert not one.unwanted_by(with_updates)
    assert one.unwanted_by(without_updates) == (template in ("shipped", "delivered"))
    assert not replace(one, resend_of=ORDER).unwanted_by(without_updates)


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
def test_a_mail_in_a_final_state_is_resent_as_another_mail(state: State) -> None:
    original = replace(mail(state, attempts=3, doubts=1), context={"order_id": str(ORDER)}, error="550")
    made = original.resend(OTHER, "eve@example.com", LATER)
    expected = replace(compose("receipt", CUSTOMER, str(ORDER), ORDER, original.context, LATER), id=OTHER)
    assert made == replace(expected, recipient="eve@example.com", resend_of=original.id)


def test_events_about_a_resent_mail_name_the_original() -> None:
    again = replace(mail("sending"), resend_of=OTHER)
    sent = again.mark_sent(LATER)
    assert sent is not None
    assert sent[1] == SENT.model_copy(update={"resend_of": OTHER})
    _, refused = again.fail(CLAIM, "550", LATER)
    assert refused == failed("550").model_copy(update={"resend_of": OTHER})


@pytest.mark.parametrize("state", ["queued", "claimed", "sending"])
def test_a_mail_in_progress_cannot_be_resent(state: State) -> None:
    with pytest.raises(MailInProgress):
        replace(mail(state), context={"a": 1}).resend(OTHER, None, LATER)


@pytest.mark.parametrize("template", get_args(AccountTemplate))
def test_a_mail_about_an_account_is_resent_to_its_customer_unless_it_was_sent(template: Template) -> None:
    for state in sorted(FINAL_STATES - {"sent"}):
        one = replace(mail(state), template=template)
        assert one.resend(OTHER, None, LATER).state == "queued"
        with pytest.raises(MailNotResendable):
            one.resend(OTHER, "eve@example.com", LATER)
    with pytest.raises(MailNotResendable):
        replace(mail("sent"), template=template).resend(OTHER, None, LATER)


def test_a_mail_whose_link_has_expired_is_not_resent() -> None:
    def until(moment: datetime) -> Mail:
        link = {"link_id": str(OTHER), "expires_at": moment.isoformat(), "purpose": "reset"}
        return replace(mail("failed"), template="password_reset", context={"link": link})

    assert until(LATER + timedelta(seconds=1)).resend(OTHER, None, LATER).state == "queued"
    with pytest.raises(MailLinkExpired):
        until(LATER).resend(OTHER, None, LATER)


def test_an_anonymised_mail_cannot_be_resent() -> None:
    with pytest.raises(MailNotResendable):
        mail("sent").resend(OTHER, None, LATER)


def test_the_id_of_a_resent_mail_depends_on_mail_staff_and_idempotency_key() -> None:
    made = {resend_id(a, b, key) for a in (CUSTOMER, ORDER) for b in (CUSTOMER, ORDER) for key in ("1", "2")}
    assert len(made) == 8
