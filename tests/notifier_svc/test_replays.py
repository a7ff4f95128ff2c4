"""Replays into notifier_svc: of customers who were erased, and of mails."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from chassis.persistence.postgres.database import Postgres
from chassis.replay.target import ReplayTarget
from notifier_svc import SERVICE
from notifier_svc.handlers import HANDLERS
from notifier_svc.mails.queries import count_mails
from notifier_svc.unit_of_work import NotifierUnitOfWork
from schemas import CustomerErased, CustomerRegistered, OrderConfirmed, golden
from tests.chassis.replay.world import World
from tests.chassis.replay.world import world as open_world
from tests.repeats import contents
from tests.servers import Servers

EMAIL = "ada.lovelace@example.org"


class NotifierWorld(World):
    database: Postgres

    @property
    def target(self) -> ReplayTarget[Any]:
        return replace(
            super().target,
            withholding_uow=partial(NotifierUnitOfWork, withhold_mails=True),
            count_mails=partial(count_mails, self.database),
        )


@pytest.fixture
async def world(postgres: Postgres, servers: Servers) -> AsyncIterator[World]:
    async with open_world(postgres, servers.kafka) as opened:
        yield NotifierWorld(
            postgres, servers.kafka, opened.prefix, opened.producer, HANDLERS, NotifierUnitOfWork, SERVICE
        )


def of_customer(customer: Any) -> tuple[CustomerRegistered, OrderConfirmed]:
    registered = golden.example(CustomerRegistered).model_copy(update={"customer_id": customer, "email": EMAIL})
    confirmed = golden.example(OrderConfirmed).model_copy(update={"customer_id": customer, "order_id": uuid4()})
    return registered, confirmed


async def everything(world: World) -> str:
    return repr(await contents(world.database))


async def test_erased_and_yet_projected(world: World) -> None:
    """marten#2779: nothing about a customer who was erased is brought, and a missed erasure comes first."""
    customer, other = uuid4(), uuid4()
    registered, confirmed = of_customer(customer)
    theirs, receipt = of_customer(other)
    events = [
        registered,
        confirmed,
        CustomerErased(customer_id=customer),
        theirs.model_copy(update={"email": "b@c.d"}),
    ]
    await world.publish([*events, receipt])
    await world.commit_all()
    plan = await world.plan(mails_wanted="send")
    assert plan.counts is not None
    assert (plan.counts.erased, plan.counts.to_bring) == (2, 3)
    done = await world.run(plan.id)
    assert (done.state, done.done.brought, done.equal) == ("done", 3, True)
    stored = await everything(world)
    assert EMAIL not in stored
    assert "b@c.d" in stored
    again = (await world.plan()).counts
    assert again is not None
    assert (again.to_bring, again.handled) == (0, 5), "nobody asks for the skipped events again"


async def test_mails_are_counted_by_the_plan_and_withheld_by_the_run(world: World) -> None:
    events = [event for _ in range(3) for event in of_customer(uuid4())]
    published = await world.publish(events)
    known = next(one for one in published if one.topic == "order.events")
    await world.handle([known])
    await world.commit_all()
    plan = await world.plan()
    assert plan.mails is not None
    # Three welcomes and two receipts.
    assert (plan.mails.new, plan.mails.known) == (5, 0)
    await world.change(plan.id, lambda job: replace(job, progress={**job.progress, "mails_wanted": "withhold"}))
    done = await world.run(plan.id)
    assert (done.done.brought, done.equal) == (5, True)
    async with world.database.reading() as connection:  # type: ignore[attr-defined]
        states = await connection.exec_driver_sql("SELECT state, count(*) FROM mails GROUP BY state ORDER BY state")
        assert [tuple(row) for row in states] == [("queued", 1), ("withheld", 5)]
