"""Corruptions of stock, reservations, and what was shipped and returned."""

from uuid_utils.compat import uuid7

from tests.ops.world import World, sql


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


async def offer_of_what_is_sold_out(world: World) -> str:
    sku = await world.product(2)
    await world.confirmed(sku, 2)
    await world.products.db.offers.update_one({"_id": sku}, {"$set": {"available": True}})
    return sku


async def stock_without_an_offer(world: World) -> str:
    sku = await world.product()
    await world.products.db.offers.delete_one({"_id": sku})
    return sku


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


async def cancelled_remainder_that_is_still_held(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.shipped_in_part(order_id, {sku: 1})
    again = {"state": "held", "lines": [{"sku": sku, "quantity": 1}]}
    await world.products.db.reservations.update_one({"_id": order_id}, {"$set": again})
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 1}})
    return str(order_id)


async def more_held_than_ordered(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    more = {"$set": {"lines": [{"sku": sku, "quantity": 3}]}}
    await world.products.db.reservations.update_one({"_id": order_id}, more)
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 3}})
    return str(order_id)


async def loss_that_the_order_does_not_know(world: World) -> str:
    sku = await world.product(2)
    order_id = await world.confirmed(sku)
    await world.broken(sku, 1)
    await world.flow()
    await sql(world.orders, "UPDATE orders SET missing = NULL WHERE id = :id", id=order_id)
    return str(order_id)


async def reservation_without_an_order(world: World) -> str:
    sku, order_id = await world.product(), uuid7()
    held = {"state": "held", "lines": [{"sku": sku, "quantity": 1}], "version": 0, "changed_at": 0}
    await world.products.db.reservations.insert_one({"_id": order_id, **held})
    await world.products.db.stock.update_one({"_id": sku}, {"$set": {"reserved": 1}})
    return str(order_id)


async def reservation_of_another_revision(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.amended(order_id, {sku: 3})
    await world.products.db.reservations.update_one({"_id": order_id}, {"$set": {"revision": 1}})
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


async def delivered_order_with_a_parcel_in_transit(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.fulfilled(order_id, {sku: 1})
    open_again = "UPDATE orders SET shipments = jsonb_set(shipments, '{0,status}', '\"in_transit\"') WHERE id = :id"
    await sql(world.orders, open_again, id=order_id)
    return str(order_id)


async def scrapped_piece_that_is_on_hand_again(world: World) -> str:
    sku = await world.product()
    order_id = await world.confirmed(sku)
    await world.refused(order_id)
    moved = await world.products.db.movements.update_one({"sku": sku, "reason": "return"}, {"$inc": {"delta": 1}})
    assert moved.modified_count == 1
    await world.products.db.stock.update_one({"_id": sku}, {"$inc": {"on_hand": 1}})
    return str(order_id)
