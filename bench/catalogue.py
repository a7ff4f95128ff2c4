"""A large catalogue: how fast it is imported, and how long clients wait for lists, searches, counts and suggestions.

``PRODUCTS`` of one to three variants, a third of which are sold out; some words are much more frequent than others.
``BENCH_PRODUCTS=1000000`` measures a larger one: the products beyond ``IMPORTED`` are written to the database as an
import would have left them. Each request is another one, so that nothing is kept.
"""

import asyncio
import os
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import orjson
from pymongo import AsyncMongoClient
from uuid_utils.compat import uuid7

from bench.load import Path, measured_echo, measured_gets
from bench.shop import shop
from product_svc.catalogue.domain import Product
from product_svc.catalogue.store import product_document
from product_svc.imports.lines import ProductLine
from product_svc.search.store import offers
from product_svc.stock.domain import Stock
from product_svc.stock.store import stock_document
from tests.stack import STAFF, Stack

PRODUCTS = int(os.environ.get("BENCH_PRODUCTS", "100000"))
IMPORTED = min(PRODUCTS, 100_000)
SHELVES, PART = 40, 400
WRITERS, WRITTEN = 4, 1_000
CLIENTS, SECONDS, WARM_UP = 4, 8.0, 1.0
CROWD, CROWD_SECONDS = 20, 3.0
COLOURS = ("red", "blue", "green", "white", "black", "grey")
MATERIALS = ("steel", "glass", "stoneware", "wood", "clay")
KINDS = ("Mug", "Cup", "Kettle", "Jug", "Bowl", "Plate", "Pan", "Tasse", "Teller", "Löffel", "Kanne", "Topf")
STYLES = ("rustic", "modern", "classic", "vintage", "sturdy", "light", "round", "square", "elegant", "soft")
WORDS = [f"word{n}" for n in range(2_000)]
WEIGHTS = [1 / (n + 1) for n in range(len(WORDS))]


async def catalogue() -> dict[str, Any]:
    """The rate of the import, and for each kind of request p50, p99 (ms) and rate beside that of an echo."""
    async with shop("customer", "product", skus=2) as running:
        shelves = await _add_shelves(running.stack)
        rate = await _import(running.stack, shelves)
        await _stock(running.stack)
        await _fill(running.stack, shelves)
        url, kinds = running.stack.urls["product"], _kinds(shelves, await _some_products(running.stack))
        for path in kinds.values():
            await measured_gets(url, path, CLIENTS, WARM_UP)
        found = {name: await measured_gets(url, path, CLIENTS, SECONDS) for name, path in kinds.items()}
        crowded = {name: await measured_gets(url, path, CROWD, CROWD_SECONDS) for name, path in kinds.items()}
        return {
            "products": PRODUCTS,
            "clients": CLIENTS,
            "import_rate": rate,
            "export_rate": await _export(running.stack),
            "echo": await measured_echo(running.load("echo"), CLIENTS, SECONDS),
            "rows": found,
            "crowd": CROWD,
            "crowded": crowded,
        }


def _kinds(shelves: Sequence[UUID], products: Sequence[str]) -> dict[str, Path]:
    """Kind of request → a path of that kind: all routes of the service that need no token."""
    shelf: Path = lambda rng: f"category_id={shelves[int(rng.random() ** 2 * SHELVES)]}"  # noqa: E731
    colour: Path = lambda rng: f"attribute=colour:{rng.choice(COLOURS)}"  # noqa: E731
    words: Path = lambda rng: quote(f"{rng.choice(STYLES)} {rng.choice(KINDS)}")  # noqa: E731
    series: Path = lambda rng: f"attribute=series:s{rng.randrange(500)}"  # noqa: E731
    price: Path = lambda rng: f"price_min={rng.randrange(100, 9000)}"  # noqa: E731
    lists, facets, euros = "/v1/products?", "/v1/products/facets?", "currency=EUR"
    return {
        "list": lambda rng: f"{lists}sort={rng.choice(['added', 'newest', 'name', '-name'])}",
        "list of a category": lambda rng: f"{lists}{shelf(rng)}&sort=name",
        "two words": lambda rng: f"{lists}q={words(rng)}",
        "a word": lambda rng: f"{lists}q={rng.choice(WORDS)}",
        "an attribute, by price": lambda rng: f"{lists}{colour(rng)}&{euros}&sort={rng.choice(['price', '-price'])}",
        "two attributes, available": lambda rng: f"{lists}{colour(rng)}&{series(rng)}&available=true",
        "available": lambda rng: f"{lists}available=true&{shelf(rng)}",
        "available, by price": lambda rng: f"{lists}available=true&{euros}&{price(rng)}&sort=price",
        "facets": lambda rng: f"{facets}{euros}&{price(rng)}",
        "facets of a category": lambda rng: f"{facets}{shelf(rng)}&{euros}&{price(rng)}",
        "facets of words": lambda rng: f"{facets}q={words(rng)}&{euros}&{price(rng)}",
        "suggestions": lambda rng: (
            f"/v1/products/suggestions?q={quote(rng.choice(KINDS)[:3])}%20{rng.randrange(10**6)}"
        ),
        "a product": lambda rng: f"/v1/products/{rng.choice(products)}",
        "stock of a SKU": lambda rng: f"/v1/stock/SKU-{rng.randrange(PRODUCTS)}-0",
        "categories": lambda _: "/v1/categories",
        "a category": lambda rng: f"/v1/categories/{rng.choice(shelves)}",
    }


async def _some_products(stack: Stack) -> list[str]:
    """The ids of some of the products."""
    page = await stack.http.get(f"{stack.urls['product']}/v1/products", params={"sort": "name", "limit": 100})
    return [product["id"] for product in page.raise_for_status().json()["items"]]


async def _add_shelves(stack: Stack) -> list[UUID]:
    staff, made = await stack.log_in(*STAFF), list[UUID]()
    for number in range(SHELVES):
        body = {"name": f"Shelf {number}", "parent_id": str(made[number // 4]) if number else None}
        response = await stack.http.post(f"{stack.urls['product']}/v1/categories", json=body, headers=staff)
        made.append(UUID(response.raise_for_status().json()["id"]))
    return made


async def _import(stack: Stack, shelves: Sequence[UUID]) -> float:
    """Import products as one file, part after part; the lines per second, without the time to make them."""
    url, took, rng = f"{stack.urls['product']}/v1/imports", 0.0, random.Random(1)
    async with httpx.AsyncClient(timeout=300, headers=await stack.log_in(*STAFF)) as http:
        begun = (await http.post(url, json={"format": "ndjson", "lines": IMPORTED})).raise_for_status().json()["id"]
        for start in range(0, IMPORTED, PART):
            if start % (PART * 50) == 0:
                # Before the token expires.
                http.headers.update(await stack.log_in(*STAFF))
            lines = (_line(start + n, rng, shelves) for n in range(min(PART, IMPORTED - start)))
            content, kind = b"\n".join(lines), {"Content-Type": "application/x-ndjson"}
            began = time.perf_counter()
            response = await http.post(f"{url}/{begun}/parts?first_line={start + 1}", content=content, headers=kind)
            took += time.perf_counter() - began
            response.raise_for_status()
    return IMPORTED / took


def _line(number: int, rng: random.Random, shelves: Sequence[UUID]) -> bytes:
    variants = [
        {
            "sku": f"SKU-{number}-{n}",
            "price": {"amount": rng.randrange(100, 20_000, 5), "currency": "EUR"},
            "attributes": {"colour": colour},
        }
        for n, colour in enumerate(rng.sample(COLOURS, rng.choice((1, 1, 2, 3))))
    ]
    return orjson.dumps(
        {
            "name": f"{rng.choice(STYLES)} {rng.choice(KINDS)} {number}".capitalize(),
            "description": " ".join(rng.choices(WORDS, WEIGHTS, k=12)),
            "category_id": shelves[int(rng.random() ** 2 * SHELVES)],
            "attributes": {"material": rng.choice(MATERIALS), "series": f"s{number % 500}"},
            "variants": variants,
        }
    )


async def _fill(stack: Stack, shelves: Sequence[UUID]) -> None:
    """Write the products that are not imported: behind the service's back, or a million would take half an hour."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        stack.commands["product"].env["MONGO_URL"], uuidRepresentation="standard"
    )
    database, rng, starts = client.get_default_database(), random.Random(2), iter(range(IMPORTED, PRODUCTS, WRITTEN))

    async def write() -> None:
        for start in starts:
            products = [_product(n, rng, shelves) for n in range(start, min(start + WRITTEN, PRODUCTS))]
            stock = {v.sku: _in_stock(n, v.sku) for n, one in enumerate(products, start) for v in one.variants}
            await database.stock.insert_many(map(stock_document, stock.values()), ordered=False)
            await database.products.insert_many(map(product_document, products), ordered=False)
            offered = [offer for one in products for offer in offers(one, stock.get)]
            await database.offers.insert_many(offered, ordered=False)

    await asyncio.gather(*(write() for _ in range(WRITERS)))
    await client.close()


def _product(number: int, rng: random.Random, shelves: Sequence[UUID]) -> Product:
    line, now = ProductLine.model_validate_json(_line(number, rng, shelves)), datetime.now(UTC)
    return Product(
        *(uuid7(), line.name, line.attributes, tuple(line.to_variants()), 1, now),
        *(line.description, line.category_id, (), "active", now),
    )


def _in_stock(number: int, sku: str) -> Stock:
    """Units for two thirds of the SKUs, as ``_stock`` has them."""
    return Stock(sku, 10 if number % 10 <= 5 else 0, 0, 1, datetime.now(UTC))


async def _export(stack: Stack) -> float:
    """Export all products as NDJSON; the lines per second."""
    staff, lines, began = await stack.log_in(*STAFF), 0, time.perf_counter()
    async with stack.http.stream("GET", f"{stack.urls['product']}/v1/products.ndjson", headers=staff) as response:
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            lines += chunk.count(b"\n")
    return lines / (time.perf_counter() - began)


async def _stock(stack: Stack) -> None:
    """Units for two thirds of the SKUs, behind the service's back: it would take an adjustment for each."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        stack.commands["product"].env["MONGO_URL"], uuidRepresentation="standard"
    )
    database, stocked = client.get_default_database(), {"_id": {"$regex": "^SKU-[0-9]*[0-5]-"}}
    await database.stock.update_many(stocked, {"$set": {"on_hand": 10}})
    await database.offers.update_many(stocked, {"$set": {"available": True}})
    await client.close()
