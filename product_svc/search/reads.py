"""Reads of searches: each by a named index, and aborted if it takes long."""

from collections.abc import Sequence
from typing import Any

from chassis.persistence.mongo.connection import translated
from chassis.persistence.mongo.database import Mongo
from product_svc.search.filters import Stage, in_order

MAX_BATCH = 2_000
MAX_MILLISECONDS = 2_000
"""A read that takes longer is aborted, so that it does not slow down everything else."""


class Reads:
    """Reads of the collections ``offers`` and ``products``."""

    def __init__(self, database: Mongo) -> None:
        self.database = database

    async def offers(
        self, match: Stage, index: str, fields: Sequence[str], *, order: Sequence[tuple[str, int]] = (), limit: int
    ) -> list[Stage]:
        """Offers, with some of their fields."""
        shown = {"_id": 0} | dict.fromkeys(fields, 1)
        with translated():
            conditions, find = in_order(match, index), self.database.db.offers.find
            found = find(conditions, shown, hint=index, max_time_ms=MAX_MILLISECONDS)
            # All in one reply: by default, the first has a hundred.
            found = found.limit(limit).batch_size(limit or MAX_BATCH)
            return await (found.sort(list(order)) if order else found).to_list()

    async def count_offers(self, match: Stage, index: str, limit: int) -> int:
        """How many offers match, at most ``limit``."""
        return await self._count("offers", in_order(match, index), index, limit)

    async def count_products(self, match: Stage, index: str, limit: int) -> int:
        """How many products match, at most ``limit``."""
        return await self._count("products", match, index, limit)

    async def products(self, stages: Sequence[Stage], index: str) -> list[Stage]:
        """What an aggregation makes of products."""
        options: dict[str, Any] = {"hint": index, "maxTimeMS": MAX_MILLISECONDS}
        with translated():
            found = await self.database.db.products.aggregate(list(stages), batchSize=MAX_BATCH, **options)
            return await found.to_list()

    async def _count(self, collection: str, match: Stage, index: str, limit: int) -> int:
        with translated():
            counted = self.database.db[collection].count_documents
            return int(await counted(match, hint=index, limit=limit, maxTimeMS=MAX_MILLISECONDS))
