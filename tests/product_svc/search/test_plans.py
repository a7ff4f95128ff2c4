"""How searches are answered: each by an index, in its order, reading hardly more than it returns.

MongoDB's profiler says what it did. Unlike a time, that is the same on any machine.
"""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from uuid_utils.compat import uuid7

from chassis.persistence.mongo.database import Mongo
from product_svc.catalogue.domain import Product, Variant
from product_svc.catalogue.store import product_document
from product_svc.search import counts, cursor, queries, texts
from product_svc.search.domain import Search, Sort
from product_svc.search.store import offers
from product_svc.search.suggestions import suggestions
from product_svc.stock.domain import Stock
from schemas import Money

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PRODUCTS, PAGE, SHELVES = 2_000, 10, 10
SHELF = [uuid7() for _ in range(SHELVES)]
COLOURS, MATERIALS = ("red", "blue", "green", "white"), ("steel", "glass", "wood", "clay", "stone")
NOUNS = ("Mug", "Cup", "Jug", "Tasse", "Kanne")

Operation = dict[str, Any]
Done = Callable[[Awaitable[Any]], Awaitable[list[Operation]]]


@pytest.fixture(scope="module")
async def large(shared: Mongo) -> Mongo:
    """A shop of some thousand products, each of one to three variants, a third of which are sold out."""
    chance, db = random.Random(1), shared.db
    shelf = {
        "parent_id": None,
        "attributes_schema": None,
        "version": 1,
        "changed_at": 0,
        "products": 0,
        "children": 0,
    }
    await db.categories.insert_many([{"_id": id_, "name": "Shelf", **shelf} for id_ in SHELF])
    made = [_product(number, chance) for number in range(PRODUCTS)]
    stock = {v.sku: Stock(v.sku, chance.choice((0, 1, 9)), 0, 0, NOW) for product in made for v in product.variants}
    await db.products.insert_many(map(product_document, made))
    await db.offers.insert_many([offer for product in made for offer in offers(product, stock.get)])
    return shared


def _product(number: int, chance: random.Random) -> Product:
    variants = tuple(
        Variant(f"SKU-{number}-{n}", Money(amount=chance.randint(100, 9999), currency="EUR"), {"colour": colour})
        for n, colour in enumerate(chance.sample(COLOURS, chance.randint(1, 3)))
    )
    name = f"{chance.choice(COLOURS)} {chance.choice(NOUNS)} {number % 97}"
    attributes = {"material": chance.choice(MATERIALS), "series": f"s{number % 200}"}
    return Product(uuid7(), name, attributes, variants, 1, NOW, "for daily use", SHELF[number % SHELVES])


@pytest.fixture
def done(large: Mongo) -> Done:
    """Runs a search, and returns what MongoDB did for it."""

    async def run(search: Awaitable[Any]) -> list[Operation]:
        await large.db.command("profile", 2)
        try:
            await search
        finally:
            await large.db.command("profile", 0)
        found = await large.db.system.profile.find({"ns": {"$regex": "(offers|products)$"}}).to_list()
        await large.db.system.profile.drop()
        assert found
        return found

    return run


SEARCHES: list[tuple[Search, Sort]] = [
    *((Search(), sort) for sort in ("added", "newest", "name", "-name")),
    *((Search(currency="EUR"), sort) for sort in ("price", "-price")),
    *((Search(available=True), sort) for sort in ("added", "newest", "name")),
    *((Search(available=True, currency="EUR"), sort) for sort in ("price", "-price")),
    *((Search(category_id=SHELF[3]), sort) for sort in ("added", "name")),
    (Search(category_id=SHELF[3], available=True, currency="EUR"), "price"),
    *((Search(attributes={"material": ["steel"]}), sort) for sort in ("added", "name")),
    (Search(attributes={"material": ["steel", "glass"]}, currency="EUR"), "price"),
    (Search(attributes={"series": ["s7"]}, available=True), "newest"),
    (Search(currency="EUR", price_min=500, price_max=520), "name"),
    (Search(currency="EUR", price_min=500), "price"),
    (Search(text="mug"), "relevance"),
    (Search(text="blue mug"), "relevance"),
    (Search(skus=["SKU-1-0", "SKU-2-0"]), "added"),
    (Search(statuses=["discontinued"]), "name"),
]


@pytest.mark.parametrize(("search", "sort"), SEARCHES)
async def test_a_page_is_read_in_the_order_of_an_index(large: Mongo, done: Done, search: Search, sort: Sort) -> None:
    found, after = await queries.products(large, search, sort, None, PAGE)
    place = cursor.parse_cursor(after, sort) if after else None
    for position in (None, place) if place else (None,):
        for operation in await done(queries.products(large, search, sort, position, PAGE)):
            _assert_by_index(operation)
            # A variant of each of several products, or all variants of each; and one more, to know whether there are
            # more.
            returned = max(operation["nreturned"], len(found), 1)
            assert operation["docsExamined"] <= 4 * (returned + 1), operation
            assert operation["keysExamined"] <= 8 * (returned + 1) or _counts(operation), operation


@pytest.mark.parametrize(
    ("search", "sort"),
    [
        (Search(attributes={"material": ["steel"], "colour": ["red"]}), "newest"),
        (Search(attributes={"material": ["steel"], "colour": ["red"]}, currency="EUR", available=True), "price"),
        (Search(category_id=SHELF[3], attributes={"colour": ["red", "blue"]}), "name"),
        (Search(available=False), "added"),
        (Search(text="blue mug", available=True, currency="EUR"), "price"),
        (Search(text="daily kanne"), "relevance"),
    ],
)
async def test_a_page_of_several_filters_reads_a_part_of_the_catalogue(
    large: Mongo, done: Done, search: Search, sort: Sort
) -> None:
    for operation in await done(queries.products(large, search, sort, None, PAGE)):
        _assert_by_index(operation)
        assert operation["docsExamined"] <= queries.FEW, operation


@pytest.mark.parametrize("search", [search for search, _ in SEARCHES])
async def test_counts_read_no_more_than_their_bounds(large: Mongo, done: Done, search: Search) -> None:
    for operation in await done(queries.facets(large, search)) + await done(queries.total(large, search)):
        _assert_by_index(operation)
        assert operation["docsExamined"] <= counts.MAX_COUNTED + 1
        assert operation["keysExamined"] <= counts.MAX_TOTAL + 1


@pytest.mark.parametrize("typed", ["m", "blue m", "SKU-17", "white kanne 1"])
async def test_suggestions_read_few_products(large: Mongo, done: Done, typed: str) -> None:
    for operation in await done(suggestions(large, typed, 10)):
        _assert_by_index(operation)
        assert operation["keysExamined"] <= 500
        assert operation["docsExamined"] <= 200


def _assert_by_index(operation: Operation) -> None:
    assert "COLLSCAN" not in operation["planSummary"], operation
    # A sort of what comes after a cursor with the same key, or of a product's offers, is none of a list.
    assert not operation.get("hasSortStage") or operation["keysExamined"] <= 4 * PAGE, operation


def _counts(operation: Operation) -> bool:
    """Whether it only counts, up to a bound, to choose an index by it."""
    return operation["docsExamined"] == 0 and int(operation["keysExamined"]) <= texts.MAX_READ
