"""The audit reports each kind of corruption, and nothing else."""

import pytest
from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from customer_svc.passwords.commands import ChangePassword
from notifier_svc.delivery.commands import MarkBounced, MarkFailed
from notifier_svc.replicas.domain import Customer
from ops.audit.checks import CHECKS
from order_svc.fulfilment.commands import ShipOrder
from tests.ops.corruptions import CORRUPTIONS, Corruption
from tests.ops.world import PARCEL, World, sql

Finding = tuple[str, str]


@pytest.fixture(scope="module")
async def expected(world: World) -> dict[Corruption, Finding]:
    """Every corruption, and the finding that it must cause."""
    return {corruption: (check, await corruption(world)) for check, corruption in CORRUPTIONS}


@pytest.fixture(scope="module")
async def reported(world: World, expected: dict[Corruption, Finding]) -> set[Finding]:
    """What the audit reports about the shop with all corruptions."""
    return await world.new_findings()


@pytest.mark.parametrize("corruption", [corruption for _, corruption in CORRUPTIONS])
def test_a_corruption_is_reported(
    expected: dict[Corruption, Finding], reported: set[Finding], corruption: Corruption
) -> None:
    assert expected[corruption] in reported


def test_nothing_else_is_reported(expected: dict[Corruption, Finding], reported: set[Finding]) -> None:
    assert reported == set(expected.values())


async def test_an_event_in_an_outbox_is_reported_until_it_is_published(world: World, reported: set[Finding]) -> None:
    await world.registered()
    assert await world.new_findings() == {("outbox_waiting", "customer")}
    await world.flow()
    assert not [finding for finding in (await world.audit()).findings if finding.check == "outbox_waiting"]


async def test_mails_that_a_replay_withheld_are_not_missing(world: World, reported: set[Finding]) -> None:
    order_id = await world.placed({await world.product(): 1})
    customer_id = await world.registered()
    await world.commits["customer_svc"](ChangePassword(customer_id, "hash", "another"))
    await world.flow(send_mails=False)
    await world.commits["order_svc"](ShipOrder(order_id, ANY, uuid7(), **PARCEL))
    await world.flow(send_mails=False)
    await sql(world.mails, "UPDATE mails SET state = 'withheld' WHERE state = 'queued'")
    assert await world.new_findings() == set()
    # The welcome is one of them.
    assert (await world.audit()).counts["mails_withheld"] == 4


def test_there_is_a_corruption_for_every_check() -> None:
    assert {check for check, _ in CORRUPTIONS} | {"outbox_waiting"} == {check.code for check in CHECKS}


async def test_a_bounce_is_counted_and_a_refused_mail_reported_until_staff_have_sent_it_again(
    world: World, reported: set[Finding]
) -> None:
    sku = await world.product()
    bounced, refused = [await world.placed({sku: 1}) for _ in range(2)]
    await world.flow(send_mails=False)
    receipt, claim = world.mail("receipt", bounced), uuid7()
    sending = "UPDATE mails SET state = 'sending', claim = :claim WHERE id = :id"
    await sql(world.mails, sending, claim=claim, id=receipt)
    recipient = Customer(world.buyer, f"{bounced}@example.com", "Ada", 1)
    await world.commits["notifier_svc"](MarkBounced(receipt, claim, recipient, "550 5.1.1 no such mailbox"))
    receipt = world.mail("receipt", refused)
    await world.commits["notifier_svc"](MarkFailed(receipt, None, "552 5.3.4 too large"))
    await world.flow()
    assert await world.new_findings() == {("mail_failed", str(refused))}
    await world.resent(receipt)
    await world.flow()
    report = await world.audit()
    assert ("mail_failed", str(refused)) not in {(one.check, one.subject) for one in report.findings}
    assert report.counts["mails_bounced"] == 1
