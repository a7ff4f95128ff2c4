"""Corruptions of the mail ledger."""

from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from customer_svc.passwords.commands import ChangePassword
from notifier_svc.delivery.commands import MarkFailed
from order_svc.fulfilment.commands import ShipOrder
from product_svc.stock.commands import SetThreshold
from schemas import STAFF
from tests.ops.world import PARCEL, World, sql


async def shipment_without_a_mail(world: World) -> str:
    order_id = await world.confirmed()
    await world.commits["order_svc"](ShipOrder(order_id, ANY, uuid7(), **PARCEL))
    await world.flow(send_mails=False)
    await sql(world.mails, "DELETE FROM mails WHERE order_id = :id AND template = 'shipped'", id=order_id)
    return str(order_id)


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
    statement = "DELETE FROM mails WHERE customer_id = :id AND template = 'password_changed'"
    await sql(world.mails, statement, id=customer_id)
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
