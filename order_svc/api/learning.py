"""What a request does that names products which we have not heard of yet."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from chassis.persistence.group_commit import GroupCommit
from order_svc.catalogue import Catalogue
from order_svc.commands import learn_product
from order_svc.domain import Product
from order_svc.errors import SkuUnknown
from order_svc.store import OrderBook

R = TypeVar("R")


async def once_known(commit: GroupCommit[OrderBook], catalogue: Catalogue, act: Callable[[], Awaitable[R]]) -> R:
    """What ``act`` comes to; where it names products that we do not know, ask the catalogue for them first.

    Raise ``CatalogueUnavailable``, ``SkuUnknown`` for what the catalogue does not know either.
    """
    try:
        return await act()
    except SkuUnknown as unknown:
        await _ask_about(commit, catalogue, unknown.extra["skus"])
        return await act()


async def _ask_about(commit: GroupCommit[OrderBook], catalogue: Catalogue, skus: list[str]) -> None:
    products = await catalogue.products(skus)

    def learn(book: OrderBook) -> None:
        for product in products:
            learn_product(book, product)

    await commit(learn, lambda book: book.products.prefetch(*_skus(products)))


def _skus(products: list[Product]) -> list[str]:
    return [product.sku for product in products]
