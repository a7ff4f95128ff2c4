"""Corruptions of topics, inboxes and dead letters, and of what remains of erased customers."""

from typing import Literal
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.messaging.dead_letters import DeadLetter
from chassis.testing import enveloped, record
from schemas import Message, StockAdjusted, StockReserved
from tests.ops.world import World, erased, sql


async def ignored_reply(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(stopped=["order_svc"])
    [reply] = await sent_events(world, "stock.reserved", order_id)
    await sql(world.orders, "INSERT INTO inbox VALUES ('order_svc', :id)", id=reply.id)
    await sql(world.orders, "UPDATE orders SET stored_at = now() - interval '1 hour' WHERE id = :id", id=order_id)
    return str(order_id)


async def reply_without_a_request(world: World) -> str:
    order_id = await world.confirmed()
    await world.products.db.reservations.update_one({"_id": order_id}, {"$inc": {"version": 1}})
    reply = enveloped(StockReserved(order_id=order_id, lines=()), version=2)
    await world.send(reply)
    await world.consume(reply)
    return str(order_id)


async def lost_event(world: World) -> str:
    customer_id = await world.registered()
    await world.outbox("customer_svc")
    return f"customer.events/{customer_id}"


async def event_of_an_unknown_aggregate(world: World) -> str:
    await world.send(enveloped(StockAdjusted(sku="MADE-UP", delta=1, reason="", on_hand=1, reserved=0)))
    return "stock.events/MADE-UP"


async def events_in_the_wrong_order(world: World) -> str:
    sku = await world.product()
    await world.adjust(sku, 1)
    await world.adjust(sku, 1)
    second, third = await world.outbox("product_svc")
    await world.send(third, second)
    return f"stock.events/{sku}"


async def duplicate_effect(world: World) -> str:
    sku = await world.product()
    await world.adjust(sku, 1)
    await world.adjust(sku, 1)
    for one in await world.outbox("product_svc"):
        headers = {**one.headers, "ce_causationid": "01a204d0-bc01-74c0-bf12-3bded8300828"}
        await world.send(Message(one.id, one.topic, one.key, headers, one.value))
    return f"stock.events/{sku}"


async def skipped_event(world: World) -> str:
    customer_id = await world.registered()
    await world.flow(stopped=["notifier_svc"])
    return f"customer.events/{customer_id}"


async def handled_event_that_is_on_no_topic(world: World) -> str:
    event_id = uuid7()
    await sql(world.mails, "INSERT INTO inbox VALUES ('notifier_svc', :id)", id=event_id)
    return str(event_id)


async def dead_letter_and_parked_event(world: World) -> str:
    """The missing mail is no finding, since the dead letter explains it."""
    order_id = await world.placed({await world.product(): 1})
    await world.flow(stopped=["notifier_svc"])
    await add_dead_letter(world, "order.confirmed", order_id, "dead")
    await world.cancelled(order_id)
    await world.flow(stopped=["notifier_svc"])
    await add_dead_letter(world, "order.cancelled", order_id, "parked")
    await world.flow()
    return f"order.events/{order_id}"


async def add_dead_letter(world: World, event: str, order_id: UUID, state: Literal["dead", "parked"]) -> None:
    [message] = await sent_events(world, event, order_id)
    stored = record(message)
    letter = DeadLetter(
        message.id, "notifier_svc", state, stored.stream, stored, "handler_failed", "KeyError()", "f00d"
    )
    async with world.mails.transaction() as tx:
        await world.mails.inbox.deduplicate(tx, "notifier_svc", [message.id], []).outcome()
        await world.mails.dead_letters.add(tx, [letter])


async def sent_events(world: World, event: str, key: UUID) -> list[Message]:
    """The events of this type and key that were published so far."""
    return [one for one in world.sent if one.headers.get("ce_type") == event and one.key == str(key)]


async def erased_customer_with_an_address(world: World) -> str:
    customer_id = await world.registered()
    await world.flow()
    await erased(world, customer_id)
    await world.flow()
    address = "UPDATE customers SET shipping = '{}' WHERE id = :id"
    await sql(world.orders, address, id=customer_id)
    return str(customer_id)


async def erased_customer_with_an_account(world: World) -> str:
    customer_id, other = await world.registered(), await world.registered()
    await world.flow()
    await erased(world, customer_id)
    await world.flow()
    copy = (
        "INSERT INTO accounts SELECT (jsonb_populate_record(a, jsonb_build_object("
        "'id', CAST(:id AS text), 'email', 'eve@example.com'))).* FROM accounts a WHERE a.id = :other"
    )
    await sql(world.customers, copy, id=str(customer_id), other=other)
    return str(customer_id)
