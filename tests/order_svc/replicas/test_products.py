"""The replica of products, in a real database."""

from typing import Any

import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import enveloped, record
from order_svc.replicas.domain import Product
from order_svc.replicas.store import products
from schemas import Message, Money, ProductChanged, ProductCreated, ProductDrafted
from schemas.values import Offer, Variant
from tests.order_svc.scenarios import consume, consumer

PRODUCT = uuid7()


async def known(database: Postgres, sku: str) -> Product | None:
    async with database.reading() as connection:
        row = (await connection.execute(sa.select(products).where(products.c.sku == sku))).one_or_none()
    if row is None:
        return None
    price = Money(amount=row.amount, currency=row.currency)
    return Product(row.sku, row.product_id, row.name, price, row.version, row.for_sale)


def created(sku: str, version: int, amount: int = 100, name: str = "Mug") -> Message:
    variant = Variant(sku=sku, price=Money(amount=amount, currency="EUR"))
    return enveloped(ProductCreated(product_id=PRODUCT, name=name, variants=(variant,)), version)


def changed(version: int, *offers: Offer, status: Any = "active") -> Message:
    return enveloped(ProductChanged(product_id=PRODUCT, name="Jug", status=status, offers=offers), version)


def offer(sku: str, amount: int = 7, *, for_sale: bool = True) -> Offer:
    return Offer(sku=sku, price=Money(amount=amount, currency="EUR"), for_sale=for_sale)


async def test_a_created_product_can_be_ordered_in_each_variant(shared: Postgres) -> None:
    skus = [f"SKU-{uuid7()}" for _ in range(2)]
    variants = tuple(Variant(sku=s, price=Money(amount=7, currency="EUR")) for s in skus)
    product_id = uuid7()
    await consume(shared, ProductCreated(product_id=product_id, name="Mug", variants=variants))
    assert [await known(shared, sku) for sku in skus] == [
        Product(sku, product_id, "Mug", Money(amount=7, currency="EUR"), 1) for sku in skus
    ]


async def test_a_product_is_only_replaced_by_a_newer_version(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    for version, amount in ((2, 200), (1, 100), (3, 300), (2, 200)):
        await consumer(shared).handle([record(created(sku, version, amount))])
    copy = await known(shared, sku)
    assert copy is not None
    assert (copy.version, copy.price.amount) == (3, 300)


async def test_a_product_is_only_replaced_by_a_newer_version_within_one_batch(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    await consumer(shared).handle([record(created(sku, version, version * 100)) for version in (2, 3, 1)])
    copy = await known(shared, sku)
    assert copy is not None
    assert (copy.version, copy.price.amount) == (3, 300)


async def test_a_changed_product_has_its_new_name_prices_and_variants(shared: Postgres) -> None:
    mug, cup = f"SKU-{uuid7()}", f"SKU-{uuid7()}"
    for message in (created(mug, 1), changed(2, offer(mug, 9), offer(cup, for_sale=False))):
        await consumer(shared).handle([record(message)])
    assert [await known(shared, sku) for sku in (mug, cup)] == [
        Product(mug, PRODUCT, "Jug", Money(amount=9, currency="EUR"), 2),
        Product(cup, PRODUCT, "Jug", Money(amount=7, currency="EUR"), 2, for_sale=False),
    ]


async def test_a_change_is_not_replaced_by_an_older_one_that_arrives_later(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    late = [changed(3, offer(sku, for_sale=False)), changed(2, offer(sku)), created(sku, 1)]
    await consumer(shared).handle([record(message) for message in late])
    copy = await known(shared, sku)
    assert copy is not None
    assert (copy.version, copy.for_sale) == (3, False)


async def test_drafts_are_replicated_once_they_are_active(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    drafted = enveloped(ProductDrafted(product_id=PRODUCT, name="Jug"))
    draft = changed(2, offer(sku, for_sale=False), status="draft")
    await consumer(shared).handle([record(drafted), record(draft)])
    assert await known(shared, sku) is None
    await consumer(shared).handle([record(changed(3, offer(sku)))])
    assert await known(shared, sku) is not None


async def test_unknown_fields_of_an_event_are_ignored(shared: Postgres) -> None:
    sku = f"SKU-{uuid7()}"
    message = created(sku, 1)
    value = message.value.replace(b'"name"', b'"brand":"Acme","name"')
    await consumer(shared).handle([record(Message(message.id, message.topic, message.key, message.headers, value))])
    assert await known(shared, sku) is not None
