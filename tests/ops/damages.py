"""One damage of each kind, done to a shop behind the services' backs.

Each is done to things of its own, and returns the subject that the audit must name for it.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from chassis.messaging.dead_letters import DeadLetter
from chassis.testing import enveloped, record
from customer_svc.commands.sessions import change_password
from notifier_svc.delivery.commands import MarkFailed
from order_svc.commands import want_order
from order_svc.fulfilment.commands import ship_order
from product_svc.commands import set_threshold
from schemas import STAFF, Message, StockAdjusted, StockReserved
from tests.ops.world import PARCEL, World, erased, sql

Damage = Callable[[World], Awaitable[str]]


async def promised_more_than_there_is(world: World) -> str:
    sku = await world.product(2)
    await world.confirmed(sku, 2)
    stock = {"$inc": {"on_hand": -1}}
    await world.products.db.stock.update_one({"_id": sku}, stock)
    await world.products.db.movements.insert_one({"_id": uuid7(), "sku": sku, "delta": -1, "reason": "?", "at": 0})
    return sku


async def pieces_without_a_movement(world: World) -> str:
    sku = await world.product()
    await world.products.db.stock.update_one({"_id": sku}, {"$inc": {"on_hand": 1}})
    return sku


async def reserved_for_nobody(world: World) -> str:
    sku = await world.product()
    await world.products.db.stock.update_one({"_id": sku}, {"$inc": {"reserved": 1}})
    return sku


async def an_answer_that_was_ignored(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(deaf=["order_svc"])
    [answer] = await told(world, "stock.reserved", order_id)
    await sql(world.orders, "INSERT INTO inbox VALUES ('order_svc', :id)", id=answer.id)
    await sql(world.orders, "UPDATE orders SET stored_at = now() - interval '1 hour' WHERE id = :id", id=order_id)
    return str(order_id)


async def confirmed_and_given_back(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 0}})
    await world.products.db.reservations.update_one({"_id": order_id}, {"$set": {"state": "released", "lines": []}})
    return str(order_id)


async def cancelled_and_still_held(world: World) -> str:
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


async def held_more_than_was_ordered(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    more = {"$set": {"lines": [{"sku": sku, "quantity": 3}]}}
    await world.products.db.reservations.update_one({"_id": order_id}, more)
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 3}})
    return str(order_id)


async def returned_more_than_was_shipped(world: World) -> str:
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


async def held_for_another_revision(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.amended(order_id, {sku: 3})
    await world.products.db.reservations.update_one({"_id": order_id}, {"$set": {"revision": 1}})
    return str(order_id)


async def shipped_without_a_movement(world: World) -> str:
    """The pieces went, and the movement says that staff counted fewer."""
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.fulfilled(order_id, {sku: 1})
    counted = {"$set": {"reason": "count", "note": ""}}
    await world.products.db.movements.update_one({"sku": sku, "reason": "shipment"}, counted)
    return str(order_id)


async def returned_to_another_order(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.fulfilled(order_id, {sku: 1})
    elsewhere = {"$set": {"note": f"order {uuid7()}"}}
    await world.products.db.movements.update_one({"sku": sku, "reason": "return"}, elsewhere)
    return str(order_id)


async def erased_and_still_with_an_address(world: World) -> str:
    customer_id = await world.registered()
    await world.flow()
    await erased(world, customer_id)
    await world.flow()
    address = "UPDATE customers SET shipping = '{}' WHERE id = :id"
    await sql(world.orders, address, id=customer_id)
    return str(customer_id)


async def erased_and_still_there(world: World) -> str:
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


async def a_shipment_that_nobody_was_mailed_about(world: World) -> str:
    order_id = await world.confirmed()
    ship = partial(ship_order, order_id=order_id, if_match=ANY, shipment_id=uuid7(), quantities=None, **PARCEL)
    await world.commits["order_svc"](ship, lambda book: want_order(book, order_id))
    await world.flow(post=False)
    await sql(world.mails, "DELETE FROM mails WHERE order_id = :id AND template = 'shipped'", id=order_id)
    return str(order_id)


async def answered_without_a_question(world: World) -> str:
    order_id = await world.confirmed()
    await world.products.db.reservations.update_one({"_id": order_id}, {"$inc": {"version": 1}})
    answer = enveloped(StockReserved(order_id=order_id, lines=()), version=2)
    await world.send(answer)
    await world.hear(answer)
    return str(order_id)


async def held_for_no_order(world: World) -> str:
    sku, order_id = await world.product(), uuid7()
    held = {"state": "held", "lines": [{"sku": sku, "quantity": 1}], "version": 0, "changed_at": 0}
    await world.products.db.reservations.insert_one({"_id": order_id, **held})
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 1}})
    return str(order_id)


async def an_event_that_never_came_out(world: World) -> str:
    customer_id = await world.registered()
    await world.outbox("customer_svc")
    return f"customer.events/{customer_id}"


async def an_event_that_nobody_told(world: World) -> str:
    await world.send(enveloped(StockAdjusted(sku="MADE-UP", delta=1, reason="", on_hand=1, reserved=0)))
    return "stock.events/MADE-UP"


async def events_in_the_wrong_order(world: World) -> str:
    sku = await world.product()
    await world.adjust(sku, 1)
    await world.adjust(sku, 1)
    second, third = await world.outbox("product_svc")
    await world.send(third, second)
    return f"stock.events/{sku}"


async def an_effect_that_came_twice(world: World) -> str:
    sku = await world.product()
    await world.adjust(sku, 1)
    await world.adjust(sku, 1)
    for one in await world.outbox("product_svc"):
        headers = {**one.headers, "ce_causationid": "01a204d0-bc01-74c0-bf12-3bded8300828"}
        await world.send(Message(one.id, one.topic, one.key, headers, one.value))
    return f"stock.events/{sku}"


async def an_event_that_was_passed_over(world: World) -> str:
    customer_id = await world.registered()
    await world.flow(deaf=["notifier_svc"])
    return f"customer.events/{customer_id}"


async def handled_and_on_no_topic(world: World) -> str:
    event_id = uuid7()
    await sql(world.mails, "INSERT INTO inbox VALUES ('notifier_svc', :id)", id=event_id)
    return str(event_id)


async def a_mail_that_was_forgotten(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(post=False)
    await sql(world.mails, "DELETE FROM mails WHERE order_id = :id", id=order_id)
    return str(order_id)


async def a_mail_that_lies_about(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(post=False)
    await sql(world.mails, "UPDATE mails SET state = 'sending' WHERE order_id = :id", id=order_id)
    return str(order_id)


async def a_mail_that_was_refused(world: World) -> str:
    order_id = await world.placed({await world.product(): 1})
    await world.flow(post=False)
    one = world.mail("receipt", order_id)
    await world.commits["notifier_svc"](MarkFailed(one, None, "550 no such mailbox"))
    await world.flow()
    return str(order_id)


async def a_mail_that_is_there_twice(world: World) -> str:
    order_id = await world.confirmed()
    await copy_of_mail(world, order_id, "receipt")
    return str(order_id)


async def a_mail_without_cause(world: World) -> str:
    order_id = await world.confirmed()
    await copy_of_mail(world, order_id, "rejected")
    return str(order_id)


async def a_shipment_that_never_was(world: World) -> str:
    order_id = await world.confirmed()
    await copy_of_mail(world, order_id, "shipped")
    return str(order_id)


async def a_warning_that_staff_never_got(world: World) -> str:
    sku = await world.product()
    await world.commits["product_svc"](
        lambda unit: set_threshold(unit, sku, "*", 10), wants=lambda unit: unit.stock.prefetch(sku)
    )
    await world.flow()
    await sql(world.mails, "DELETE FROM mails WHERE customer_id = :id", id=STAFF)
    return str(STAFF)


async def a_mail_about_an_account_that_was_forgotten(world: World) -> str:
    customer_id = await world.registered()
    await world.commits["customer_svc"](
        lambda unit: change_password(unit, customer_id, "hash", "another"),
        wants=lambda unit: unit.accounts.prefetch(customer_id),
    )
    await world.flow(post=False)
    forgotten = "DELETE FROM mails WHERE customer_id = :id AND template = 'password_changed'"
    await sql(world.mails, forgotten, id=customer_id)
    await world.flow()
    return str(customer_id)


async def a_second_welcome(world: World) -> str:
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


async def a_dead_letter(world: World) -> str:
    """And one behind it; the mail that is missing for it is accounted for."""
    order_id = await world.placed({await world.product(): 1})
    await world.flow(deaf=["notifier_svc"])
    await set_aside(world, "order.confirmed", order_id, "dead")
    await world.cancelled(order_id)
    await world.flow(deaf=["notifier_svc"])
    await set_aside(world, "order.cancelled", order_id, "parked")
    await world.flow()
    return f"order.events/{order_id}"


async def copy_of_mail(world: World, order_id: UUID, template: str) -> None:
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


async def set_aside(world: World, event: str, order_id: UUID, state: str) -> None:
    [message] = await told(world, event, order_id)
    letter = DeadLetter(message.id, "notifier_svc", state, record(message), "handler_failed", "KeyError()", "f00d")  # type: ignore[arg-type]
    async with world.mails.transaction() as tx:
        await world.mails.inbox.deduplicate(tx, "notifier_svc", [message.id], []).outcome()
        await world.mails.dead_letters.add(tx, [letter])


async def told(world: World, event: str, key: UUID) -> list[Message]:
    """The events of a type on an aggregate that were sent so far."""
    return [one for one in world.sent if one.headers.get("ce_type") == event and one.key == str(key)]


DAMAGES: list[tuple[str, Damage]] = [
    ("oversold", promised_more_than_there_is),
    ("stock_mismatch", pieces_without_a_movement),
    ("stock_mismatch", reserved_for_nobody),
    ("order_stuck", an_answer_that_was_ignored),
    ("reservation_mismatch", confirmed_and_given_back),
    ("reservation_mismatch", cancelled_and_still_held),
    ("reservation_mismatch", held_more_than_was_ordered),
    ("reservation_mismatch", held_for_no_order),
    ("reservation_mismatch", held_for_another_revision),
    ("parcel_mismatch", shipped_without_a_movement),
    ("parcel_mismatch", returned_to_another_order),
    ("erased_kept", erased_and_still_with_an_address),
    ("erased_kept", erased_and_still_there),
    ("mail_missing", a_shipment_that_nobody_was_mailed_about),
    ("shipped_too_much", returned_more_than_was_shipped),
    ("answer_doubled", answered_without_a_question),
    ("event_lost", an_event_that_never_came_out),
    ("event_unknown", an_event_that_nobody_told),
    ("version_gap", events_in_the_wrong_order),
    ("doubled_effect", an_effect_that_came_twice),
    ("not_handled", an_event_that_was_passed_over),
    ("phantom_inbox", handled_and_on_no_topic),
    ("mail_missing", a_mail_that_was_forgotten),
    ("mail_missing", a_mail_that_lies_about),
    ("mail_failed", a_mail_that_was_refused),
    ("mail_doubled", a_mail_that_is_there_twice),
    ("mail_missing", a_mail_about_an_account_that_was_forgotten),
    ("mail_missing", a_warning_that_staff_never_got),
    ("mail_unfounded", a_shipment_that_never_was),
    ("mail_unfounded", a_mail_without_cause),
    ("mail_unfounded", a_second_welcome),
    ("dead_letter", a_dead_letter),
]
"""Which check must find which damage."""
