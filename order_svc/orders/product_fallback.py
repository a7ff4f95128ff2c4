"""Orders of products that the replica does not know yet: they are read from product_svc's REST API.

A client may create a product and order it before the event about it has arrived.
"""

from typing import TypeVar

from chassis.persistence.command import Command
from order_svc.container import Commit, Products
from order_svc.errors import SkuNotFound
from order_svc.replicas.commands import UpsertProducts
from order_svc.unit_of_work import OrderUnitOfWork

R = TypeVar("R")


async def commit_with_fallback(commit: Commit, products: Products, command: Command[OrderUnitOfWork, R]) -> R:
    """Commit a command; where it names unknown products, read them from the catalogue and commit it again.

    Raise ``CatalogueUnavailable``, or ``SkuNotFound`` for products that the catalogue does not know either.
    """
    result: R
    try:
        result = await commit(command)
    except SkuNotFound as missing:
        await commit(UpsertProducts(await products.find(missing.extra["skus"])))
        result = await commit(command)
    return result
