"""An erased customer's orders, in a real database: they stay, and nobody knows whose they were."""

import json
from dataclasses import replace

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.consumer import Consumer
from chassis.groupcommit import GroupCommit
from chassis.sql import Postgres
from chassis.testing import enveloped, record
from order_svc import SERVICE
from order_svc.dto import order_out
from order_svc.handlers import HANDLERS
from order_svc.parts import Amendment, Return
from order_svc.store import Answered, OrderBook, idempotency_keys
from schemas import Address, CustomerErased, OrdersAnonymised, StockReserved, answer_id
from tests.order_svc.orders import ADDRESS, pending, read
from tests.outbox import events

Commit = GroupCommit[OrderBook]
NOWHERE = {"name": "-", "street": "-", "city": "-", "postal_code": "-", "country": "GB"}


def consumer(database: Postgres) -> Consumer[OrderBook]:
    return Consumer(database, SERVICE, OrderBook, HANDLERS)


async def test_the_orders_stay_without_where_they_went(shared: Postgres, commit: Commit) -> None:
    order, other = await pending(commit), await pending(commit)
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=order.customer_id)))])
    kept = await read(shared, order)
    assert kept.shipping_address.model_dump() == NOWHERE
    assert (kept.state, kept.lines, kept.total, kept.version) == (
        order.state,
        order.lines,
        order.total,
        order.version,
    )
    assert (await read(shared, other)).shipping_address == ADDRESS


async def test_nothing_that_is_personal_stays_of_what_became_of_an_order(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    back = Return(uuid7(), (), order.total, "Too small for my hands.", order.placed_at)
    told = replace(
        order,
        version=2,
        billing_address=ADDRESS,
        note="Ada is moving house.",
        notes="Ring twice.",
        amendment=Amendment(2, order.lines, order.total, ADDRESS, ADDRESS),
        returns=(back, back),
    )
    await commit(lambda book: book.orders.put(order.id, told), lambda book: book.orders.want(order.id))
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=order.customer_id)))])
    kept, nowhere = await read(shared, order), Address(**NOWHERE)
    assert kept.amendment is not None
    places = [kept.shipping_address, kept.billing_address]
    places += [kept.amendment.shipping_address, kept.amendment.billing_address]
    assert places == [nowhere] * 4
    assert (kept.note, kept.notes) == (None, None)
    assert kept.returns == (replace(back, reason=None),) * 2


async def test_the_answer_to_an_idempotency_key_forgets_too(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    answered = Answered(uuid7(), "fingerprint", order.id, order_out(order).model_dump_json())
    await commit(lambda book: book.answered.put(answered.id, answered), lambda book: book.answered.want(answered.id))
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=order.customer_id)))])
    async with shared.reading() as connection:
        query = sa.select(idempotency_keys.c.answer).where(idempotency_keys.c.id == answered.id)
        answer = json.loads(str(await connection.scalar(query)))
    assert answer == json.loads(answered.answer) | {"shipping_address": NOWHERE}


async def test_it_is_told_once_however_often_it_is_heard(shared: Postgres) -> None:
    customer_id = uuid7()
    heard = [record(enveloped(CustomerErased(customer_id=customer_id), 2)) for _ in range(2)]
    await consumer(shared).handle(heard)
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=customer_id), 2))])
    key = answer_id(SERVICE, customer_id)
    assert await events(shared, key) == [OrdersAnonymised(answer_id=key, customer_id=customer_id)]


async def test_an_order_that_is_on_its_way_goes_on_without_its_address(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=order.customer_id)))])
    await consumer(shared).handle([record(enveloped(StockReserved(order_id=order.id, lines=())))])
    [*_, told] = await events(shared, order.id)
    assert told.type == "order.confirmed"
    assert "London" not in told.model_dump_json()
