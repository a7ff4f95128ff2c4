"""Corruptions of the data, one of each kind, made behind the services' backs.

Each corrupts data of its own, and returns the subject that the audit must report for it.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from chassis.messaging.dead_letters import DeadLetter
from chassis.testing import enveloped, record
from customer_svc.passwords.commands import ChangePassword
from notifier_svc.delivery.commands import MarkFailed
from order_svc.fulfilment.commands import ShipOrder
from product_svc.stock.commands import SetThreshold
from schemas import STAFF, Message, StockAdjusted, StockReserved
from tests.ops.world import PARCEL, World, erased, sql

Corruption = Callable[[World], Awaitable[str]]


async def more_reserved_than_on_hand(world: World) -> str:
    sku = await world.product(2)
    await world.confirmed(sku, 2)
    stock = {"$inc": {"on_hand": -1}}
    await world.products.db.stock.update_one({"_id": sku}, stock)
    await world.products.db.movements.insert_one({"_id": uuid7(), "sku": sku, "delta": -1, "reason": "?", "at": 0})
    return sku


async def stock_without_a_movement(world: World) -> str:
    sku = await world.product()
    await world.products.db.stock.update_one({"_id": sku}, {"$inc": {"on_hand": 1}})
    return sku


async def stock_reserved_without_a_reservation(world: World) -> str:
    sku = await world.product()
    await world.products.db.stock.update_one({"_id": sku}, {"$inc": {"reserved": 1}})
    return sku


async def ignored_reply(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(stopped=["order_svc"])
    [reply] = await sent_events(world, "stock.reserved", order_id)
    await sql(world.orders, "INSERT INTO inbox VALUES ('order_svc', :id)", id=reply.id)
    await sql(world.orders, "UPDATE orders SET stored_at = now() - interval '1 hour' WHERE id = :id", id=order_id)
    return str(order_id)


async def confirmed_order_without_its_stock(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 0}})
    await world.products.db.reservations.update_one({"_id": order_id}, {"$set": {"state": "released", "lines": []}})
    return str(order_id)


async def cancelled_order_that_still_holds_stock(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    held = await world.products.db.reservations.find_one({"_id": order_id})
    await world.cancelled(order_id)
    await world.flow()
    assert held
    again = {"state": "held", "lines": held["lines"]}
    await world.products.db.reservations.update_one({"_id": order_id}, {"$set": again})
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 2}})
    return str(order_id)


async def more_held_than_ordered(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    more = {"$set": {"lines": [{"sku": sku, "quantity": 3}]}}
    await world.products.db.reservations.update_one({"_id": order_id}, more)
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 3}})
    return str(order_id)


async def more_returned_than_shipped(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.amended(order_id, {sku: 4})
    await world.fulfilled(order_id, {sku: 1})
    more = "UPDATE orders SET returns = jsonb_set(returns, '{0,lines,0,quantity}', '5') WHERE id = :id"
    await sql(world.orders, more, id=order_id)
    moved = await world.products.db.movements.update_one({"sku": sku, "reason": "return"}, {"$inc": {"delta": 4}})
    assert moved.modified_count == 1
    await world.products.db.stock.update_one({"_id": sku}, {"$inc": {"on_hand": 4}})
    return str(order_id)


async def reservation_of_another_revision(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.amended(order_id, {sku: 3})
    await world.products.db.reservations.update_one({"_id": order_id}, {"$set": {"revision": 1}})
    return str(order_id)


async def shipment_without_a_movement(world: World) -> str:
    """The pieces have left, but as a correction by staff."""
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.fulfilled(order_id, {sku: 1})
    counted = {"$set": {"reason": "count", "note": ""}}
    await world.products.db.movements.update_one({"sku": sku, "reason": "shipment"}, counted)
    return str(order_id)


async def return_booked_for_another_order(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.fulfilled(order_id, {sku: 1})
    another = {"$set": {"note": f"order {uuid7()}"}}
    await world.products.db.movements.update_one({"sku": sku, "reason": "return"}, another)
    return str(order_id)


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


async def shipment_without_a_mail(world: World) -> str:
    order_id = await world.confirmed()
    await world.commits["order_svc"](ShipOrder(order_id, ANY, uuid7(), **PARCEL))
    await world.flow(send_mails=False)
    await sql(world.mails, "DELETE FROM mails WHERE order_id = :id AND template = 'shipped'", id=order_id)
    return str(order_id)


async def reply_without_a_request(world: World) -> str:
    order_id = await world.confirmed()
    await world.products.db.reservations.update_one({"_id": order_id}, {"$inc": {"version": 1}})
    reply = enveloped(StockReserved(order_id=order_id, lines=()), version=2)
    await world.send(reply)
    await world.consume(reply)
    return str(order_id)


async def reservation_without_an_order(world: World) -> str:
    sku, order_id = await world.product(), uuid7()
    held = {"state": "held", "lines": [{"sku": sku, "quantity": 1}], "version": 0, "changed_at": 0}
    await world.products.db.reservations.insert_one({"_id": order_id, **held})
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 1}})
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


async def order_without_a_mail(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(send_mails=False)
    await sql(world.mails, "DELETE FROM mails WHERE order_id = :id", id=order_id)
    return str(order_id)


async def mail_that_is_never_sent(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(send_mails=False)
    await sql(world.mails, "UPDATE mails SET state = 'sending' WHERE order_id = :id", id=order_id)
    return str(order_id)


async def refused_mail(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(send_mails=False)
    one = world.mail("receipt", order_id)
    await world.commits["notifier_svc"](MarkFailed(one, None, "550 no such mailbox"))
    await world.flow()
    return str(order_id)


async def duplicate_mail(world: World) -> str:
    order_id = await world.confirmed()
    await copy_mail(world, order_id, "receipt")
    return str(order_id)


async def mail_without_a_cause(world: World) -> str:
    order_id = await world.confirmed()
    await copy_mail(world, order_id, "rejected")
    return str(order_id)


async def shipment_mail_without_a_shipment(world: World) -> str:
    order_id = await world.confirmed()
    await copy_mail(world, order_id, "shipped")
    return str(order_id)


async def low_stock_without_a_mail(world: World) -> str:
    sku = await world.product()
    await world.commits["product_svc"](SetThreshold(sku, "*", 10))
    await world.flow()
    await sql(world.mails, "DELETE FROM mails WHERE customer_id = :id", id=STAFF)
    return str(STAFF)


async def password_change_without_a_mail(world: World) -> str:
    customer_id = await world.registered()
    await world.commits["customer_svc"](ChangePassword(customer_id, "hash", "another"))
    await world.flow(send_mails=False)
    forgotten = "DELETE FROM mails WHERE customer_id = :id AND template = 'password_changed'"
    await sql(world.mails, forgotten, id=customer_id)
    await world.flow()
    return str(customer_id)


async def duplicate_welcome(world: World) -> str:
    customer_id = await world.registered()
    await world.flow()
    await sql(
        world.mails,
        "INSERT INTO mails (id, template, customer_id, context, state, attempts, doubts, due_at, changed_at)"
        " SELECT :new, template, customer_id, context, 'claimed', 0, 0, due_at, changed_at"
        " FROM mails WHERE customer_id = :id",
        new=uuid7(),
        id=customer_id,
    )
    return str(customer_id)


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


async def copy_mail(world: World, order_id: UUID, template: str) -> None:
    await sql(
        world.mails,
        "INSERT INTO mails"
        " (id, template, customer_id, order_id, context, state, attempts, doubts, due_at, changed_at)"
        " SELECT :id, :template, customer_id, order_id, context, 'claimed', 0, 0, due_at, changed_at"
        " FROM mails WHERE order_id = :order_id",
        id=uuid7(),
        template=template,
        order_id=order_id,
    )


async def add_dead_letter(world: World, event: str, order_id: UUID, state: str) -> None:
    [message] = await sent_events(world, event, order_id)
    letter = DeadLetter(message.id, "notifier_svc", state, record(message), "handler_failed", "KeyError()", "f00d")  # type: ignore[arg-type]
    async with world.mails.transaction() as tx:
        await world.mails.inbox.deduplicate(tx, "notifier_svc", [message.id], []).outcome()
        await world.mails.dead_letters.add(tx, [letter])


async def sent_events(world: World, event: str, key: UUID) -> list[Message]:
    """The events of this type and key that were published so far."""
    return [one for one in world.sent if one.headers.get("ce_type") == event and one.key == str(key)]


CORRUPTIONS: list[tuple[str, Corruption]] = [
    ("oversold", more_reserved_than_on_hand),
    ("stock_mismatch", stock_without_a_movement),
    ("stock_mismatch", stock_reserved_without_a_reservation),
    ("order_stuck", ignored_reply),
    ("reservation_mismatch", confirmed_order_without_its_stock),
    ("reservation_mismatch", cancelled_order_that_still_holds_stock),
    ("reservation_mismatch", more_held_than_ordered),
    ("reservation_mismatch", reservation_without_an_order),
    ("reservation_mismatch", reservation_of_another_revision),
    ("parcel_mismatch", shipment_without_a_movement),
    ("parcel_mismatch", return_booked_for_another_order),
    ("erased_kept", erased_customer_with_an_address),
    ("erased_kept", erased_customer_with_an_account),
    ("mail_missing", shipment_without_a_mail),
    ("shipped_too_much", more_returned_than_shipped),
    ("reply_doubled", reply_without_a_request),
    ("event_lost", lost_event),
    ("event_unknown", event_of_an_unknown_aggregate),
    ("version_gap", events_in_the_wrong_order),
    ("doubled_effect", duplicate_effect),
    ("not_handled", skipped_event),
    ("phantom_inbox", handled_event_that_is_on_no_topic),
    ("mail_missing", order_without_a_mail),
    ("mail_missing", mail_that_is_never_sent),
    ("mail_failed", refused_mail),
    ("mail_doubled", duplicate_mail),
    ("mail_missing", password_change_without_a_mail),
    ("mail_missing", low_stock_without_a_mail),
    ("mail_unfounded", shipment_mail_without_a_shipment),
    ("mail_unfounded", mail_without_a_cause),
    ("mail_unfounded", duplicate_welcome),
    ("dead_letter", dead_letter_and_parked_event),
]
"""The check that must find each corruption."""
