"""Events that product_svc handles again change nothing."""

from dataclasses import replace

from chassis.persistence.mongo.database import Mongo
from chassis.testing import enveloped, record
from product_svc.handlers import HANDLERS
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import OrdersAnonymised, answer_id
from tests.product_svc.factories import consumer, new_sku, placed
from tests.repeats import Repeating, assert_repeats_change_nothing, happened


async def test_the_redaction_of_dead_letters(mongo: Mongo) -> None:
    theirs, others = placed({new_sku(): 1}), placed({new_sku(): 1})
    letters = [record(enveloped(order)) for order in (theirs, others)]
    await consumer(mongo).handle([replace(letter, value=(letter.value or b"") + b"?") for letter in letters])
    answer = answer_id("order_svc", theirs.customer_id)
    history = [happened(OrdersAnonymised(answer_id=answer, customer_id=theirs.customer_id))]
    await assert_repeats_change_nothing(Repeating(mongo, ProductUnitOfWork, HANDLERS), history)
