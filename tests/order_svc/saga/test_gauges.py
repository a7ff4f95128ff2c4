"""What the metrics say about sagas."""

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY

from chassis.persistence.postgres.database import Postgres
from order_svc.saga.gauges import SagaGauges
from order_svc.unit_of_work import OrderUnitOfWork
from tests.alerting import fired, scrape
from tests.databases import committing
from tests.order_svc.scenarios import Commit, confirmed, consume, pending, reserved


@pytest.fixture
async def commit(postgres: Postgres) -> AsyncIterator[Commit]:
    """A group commit on a database of this test: the gauges concern every order in it."""
    async with committing(postgres, OrderUnitOfWork) as commit:
        yield commit


def value(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0


async def test_orders_that_wait_for_too_long_are_counted(postgres: Postgres, commit: Commit) -> None:
    gauges = SagaGauges(postgres, 60)
    await gauges.refresh()
    assert (value("shop_sagas_stuck"), value("shop_saga_oldest_seconds")) == (0, 0)
    late = [await pending(commit) for _ in range(2)]
    await pending(commit)
    older = sa.text("UPDATE orders SET stored_at = stored_at - interval '100 seconds' WHERE id = ANY(:ids)")
    async with postgres.engine.begin() as tx:
        await tx.execute(older, {"ids": [order.id for order in late]})
    await gauges.refresh()
    assert value("shop_sagas_stuck") == 2
    assert 100 <= value("shop_saga_oldest_seconds") < 200


async def test_it_is_counted_how_long_an_order_took_to_be_confirmed(postgres: Postgres, commit: Commit) -> None:
    before = value("shop_order_confirmed_seconds_count")
    await confirmed(postgres, commit)
    assert value("shop_order_confirmed_seconds_count") == before + 1


async def test_orders_that_wait_for_too_long_are_alerted(postgres: Postgres, commit: Commit) -> None:
    gauges = SagaGauges(postgres, 0.0)
    await gauges.refresh()
    before = scrape("order_svc")
    await pending(commit)
    await gauges.refresh()
    assert fired("SagasStuck", before, scrape("order_svc")) == [{"service": "order_svc"}]


async def test_orders_that_are_confirmed_late_are_alerted_and_those_in_time_are_not(
    postgres: Postgres, commit: Commit
) -> None:
    async def confirm_late(seconds: int) -> None:
        order = await pending(commit)
        async with postgres.engine.begin() as tx:
            await tx.execute(sa.text(f"UPDATE orders SET placed_at = placed_at - interval '{seconds} seconds'"))
        await consume(postgres, reserved(order))

    scrapes = [scrape("order_svc")]
    # Some minutes apart: one late order is no alert.
    for seconds in (0, 20, 20, 20):
        await confirm_late(seconds)
        scrapes.append(scrape("order_svc"))
    healthy, *late = scrapes[1:]
    assert fired("OrdersConfirmedLate", scrapes[0], healthy, apart=120) == []
    assert fired("OrdersConfirmedLate", healthy, late[0], apart=120) == []
    assert fired("OrdersConfirmedLate", healthy, *late, apart=120) == [{}]
