"""What remains of an erased customer in the dead letters of product_svc."""

from dataclasses import replace

from chassis.persistence.mongo.database import Mongo
from chassis.testing import enveloped, record
from schemas import OrdersAnonymised, answer_id
from tests.chassis.tally import stored_letters
from tests.product_svc.factories import consumer, handle, new_sku, placed


async def test_dead_letters_about_an_erased_customers_orders_are_redacted(shared: Mongo) -> None:
    orders = [placed({new_sku(): 1}) for _ in range(2)]
    letters = [record(enveloped(order)) for order in orders]
    await consumer(shared).handle([replace(letter, value=(letter.value or b"") + b"?") for letter in letters])
    theirs, others = orders
    answer = answer_id("order_svc", theirs.customer_id)
    await handle(shared, OrdersAnonymised(answer_id=answer, customer_id=theirs.customer_id))
    left = {bytes(one["key"]).decode(): one["value"] for one in await stored_letters(shared)}
    assert left[str(theirs.order_id)] is None
    assert str(others.customer_id).encode() in left[str(others.order_id)]
