"""Whose an order is: staff see it, and nobody else sees more than before."""

from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, enveloped, record
from schemas import CustomerErased, CustomerRegistered, Event, ProfileChanged
from tests.order_svc.rest import API, place
from tests.order_svc.scenarios import Commit, consumer, product


async def consume(database: Postgres, version: int, event: Event) -> None:
    await consumer(database).handle([record(enveloped(event, version))])


def registered(customer: UUID) -> CustomerRegistered:
    return CustomerRegistered(customer_id=customer, email="ada@example.com", name="Ada Byron")


def renamed(customer: UUID) -> ProfileChanged:
    return ProfileChanged(customer_id=customer, name="Ada Lovelace", locale="en", marketing=False, order_updates=True)


async def seen(api: API, order: str, headers: dict[str, str]) -> list[tuple[str | None, str | None]]:
    """Whose the order is, as the list and the order itself say."""
    one = (await api.get(f"/v1/orders/{order}", headers=headers)).json()
    listed = (await api.get(f"/v1/orders?q={order}", headers=headers)).json()["items"]
    return [(found["customer_id"], found["customer_name"]) for found in (one, *listed)]


async def test_staff_see_the_customer_of_an_order_and_the_customer_sees_no_more_than_before(
    api: API, shared: Postgres, commit: Commit
) -> None:
    customer, sku = uuid7(), await product(commit)
    await consume(shared, 1, registered(customer))
    placed = await place(api, sku, headers=bearer(customer))
    staff = bearer(role="staff")
    assert await seen(api, placed["id"], staff) == [(str(customer), "Ada Byron")] * 2
    await consume(shared, 3, renamed(customer))
    assert await seen(api, placed["id"], staff) == [(str(customer), "Ada Lovelace")] * 2
    await consume(shared, 2, renamed(customer).model_copy(update={"name": "an older name"}))
    assert await seen(api, placed["id"], staff) == [(str(customer), "Ada Lovelace")] * 2
    assert await seen(api, placed["id"], bearer(customer)) == [(None, None)] * 2


@pytest.mark.parametrize("late", [False, True])
async def test_the_name_of_an_erased_customer_is_gone(api: API, shared: Postgres, commit: Commit, late: bool) -> None:
    customer, sku = uuid7(), await product(commit)
    await consume(shared, 1, registered(customer))
    placed = await place(api, sku, headers=bearer(customer))
    await consume(shared, 4, CustomerErased(customer_id=customer))
    if late:
        await consume(shared, 3, renamed(customer))
    assert await seen(api, placed["id"], bearer(role="staff")) == [(str(customer), None)] * 2


async def test_an_order_is_shown_before_anything_is_known_of_its_customer(api: API, commit: Commit) -> None:
    customer = uuid7()
    placed = await place(api, await product(commit), headers=bearer(customer))
    assert await seen(api, placed["id"], bearer(role="staff")) == [(str(customer), None)] * 2
