"""Events that notifier_svc handles again change nothing."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from notifier_svc.handlers import HANDLERS
from notifier_svc.mails.triggers import ORDER_MAILS, mail_ids
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import (
    CustomerErased,
    EmailChanged,
    EmailChangeRequested,
    EmailChangeReverted,
    Envelope,
    Event,
    PasswordChanged,
    PasswordResetRequested,
    ProfileChanged,
    RegistrationRepeated,
    StockLow,
    VerificationRequested,
    golden,
)
from tests.notifier_svc.factories import link, registered
from tests.notifier_svc.ledger import all_mails, update_mail
from tests.repeats import Repeating, assert_repeats_change_nothing, convergent, happened

OTHER = "ada.lovelace@example.com"


@pytest.fixture
def service(postgres: Postgres) -> Repeating[NotifierUnitOfWork]:
    return Repeating(postgres, NotifierUnitOfWork, HANDLERS)


def account(customer_id: UUID) -> list[Envelope[Event]]:
    """Events of an account, each kind twice where it can happen again."""
    profile = ProfileChanged(customer_id=customer_id, name="Ada L", locale="de", marketing=False, order_updates=True)
    return [
        happened(registered(customer_id, verify=link())),
        happened(registered(uuid7(), email="grace@example.com")),
        *(happened(VerificationRequested(customer_id=customer_id, verify=link()), 2) for _ in range(2)),
        happened(profile, 3),
        *(happened(PasswordResetRequested(customer_id=customer_id, reset=link()), 4) for _ in range(2)),
        *(happened(RegistrationRepeated(customer_id=customer_id), 5) for _ in range(2)),
        *(happened(PasswordChanged(customer_id=customer_id, how="reset"), 6) for _ in range(2)),
        happened(profile.model_copy(update={"name": "Ada Lovelace"}), 7),
        happened(EmailChangeRequested(customer_id=customer_id, email=OTHER, change=link(), taken=False), 8),
        happened(EmailChanged(customer_id=customer_id, email=OTHER, old_email="ada@example.com", revert=link()), 9),
        happened(EmailChangeReverted(customer_id=customer_id, email="ada@example.com", removed_email=OTHER), 10),
        happened(golden.example(StockLow)),
    ]


def orders(customer_id: UUID) -> list[Envelope[Event]]:
    ids = {"customer_id": customer_id, "order_id": uuid7()}
    return [happened(golden.example(event).model_copy(update=ids)) for event in ORDER_MAILS]


def history(customer_id: UUID) -> Sequence[Envelope[Event]]:
    """Everything that can happen to a customer, who is erased in the end, and what is late for that."""
    return [
        # Before the customer is known.
        *orders(customer_id)[:1],
        *account(customer_id),
        *orders(customer_id),
        happened(CustomerErased(customer_id=customer_id), 11),
        *orders(customer_id),
        *account(customer_id)[3:5],
    ]


@pytest.mark.parametrize("withhold_mails", [False, True])
async def test_everything_that_happens_to_a_customer(postgres: Postgres, *, withhold_mails: bool) -> None:
    new_uow = partial(NotifierUnitOfWork, withhold_mails=withhold_mails)
    await assert_repeats_change_nothing(Repeating(postgres, new_uow, HANDLERS), history(uuid7()))


@pytest.mark.parametrize("state", ["sent", "failed", "suppressed", "unwanted", "withheld", "sending"])
async def test_a_mail_stays_as_it_is_whatever_became_of_it(
    postgres: Postgres, service: Repeating[NotifierUnitOfWork], state: str
) -> None:
    known = [*account(customer_id := uuid7()), *orders(customer_id)]
    known = [envelope for envelope in known if type(envelope.event) in convergent(HANDLERS)]
    await service.handle(*known)
    for mail in await all_mails(postgres):
        await update_mail(postgres, mail.id, f"state = '{state}', attempts = 1")
    before = await all_mails(postgres)
    await service.repeat(*known)
    assert await all_mails(postgres) == before


async def test_the_mails_of_events_are_those_that_their_handlers_queue(
    postgres: Postgres, service: Repeating[NotifierUnitOfWork]
) -> None:
    for envelope in history(uuid7()):
        before = {mail.id for mail in await all_mails(postgres)}
        await service.handle(envelope)
        assert {mail.id for mail in await all_mails(postgres)} == before | set(mail_ids(envelope))
