"""Which event causes which mail, and that the handlers agree."""

from notifier_svc.handlers import HANDLERS
from notifier_svc.mails.commands import (
    MoveCustomer,
    QueueLinkMail,
    QueueNotice,
    QueueOrderMail,
    WarnStaff,
    WelcomeCustomer,
)
from notifier_svc.mails.domain import CONFIRMATION
from notifier_svc.mails.triggers import LINK_MAILS, NOTICES, ORDER_MAILS, RECIPIENTS, WARNINGS
from notifier_svc.rendering.domain import TEMPLATES


def test_each_template_has_one_event() -> None:
    of_orders, with_links = ([mail.template for mail in table.values()] for table in (ORDER_MAILS, LINK_MAILS))
    # An erasure is confirmed by the command that anonymises the other mails.
    others = [*NOTICES.values(), *WARNINGS.values(), CONFIRMATION]
    assert sorted([*of_orders, *with_links, *others]) == sorted(TEMPLATES)


def test_the_handlers_queue_the_mails_of_the_tables() -> None:
    assert {event for event, command in HANDLERS.items() if command is QueueOrderMail} == set(ORDER_MAILS)
    moves = {event for event, command in HANDLERS.items() if command is MoveCustomer}
    assert moves <= set(RECIPIENTS)
    # The command that gives a customer another address queues the notice to the one before.
    assert {event for event, command in HANDLERS.items() if command is QueueNotice} == set(NOTICES) - moves
    assert {event for event, command in HANDLERS.items() if command is WarnStaff} == set(WARNINGS)
    assert {e for e, command in HANDLERS.items() if command in (QueueLinkMail, WelcomeCustomer)} == set(
        LINK_MAILS
    ) - moves
