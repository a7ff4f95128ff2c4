"""The one call to another service that a command makes: for products that we have not heard of yet.

A client may create a product and order it before the event about it has reached us.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from order_svc.domain import Product
from order_svc.errors import CatalogueUnavailable
from schemas.values import Variant

SECONDS = 2.0


class _Variant(Variant):
    status: str = "active"


class _Product(BaseModel):
    id: UUID
    name: str
    version: int
    variants: list[_Variant]
    status: str = "active"


class _Page(BaseModel):
    items: list[_Product]


class Catalogue:
    """The REST API of product_svc at ``url``."""

    def __init__(self, url: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=SECONDS)

    async def products(self, skus: Sequence[str]) -> list[Product]:
        """Those of the SKUs that exist; raise ``CatalogueUnavailable``."""
        try:
            answer = await self._client.get("/v1/products", params={"sku": list(skus), "limit": 200})
            answer.raise_for_status()
            page = _Page.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise CatalogueUnavailable(skus=list(skus)) from error
        return [known for known in _variants(page.items) if known.sku in set(skus)]

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()


def _variants(products: Iterable[_Product]) -> Iterable[Product]:
    for product in products:
        for variant in product.variants:
            for_sale = product.status == variant.status == "active"
            yield Product(variant.sku, product.id, product.name, variant.price, product.version, for_sale)
