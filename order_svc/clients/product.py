"""The REST API of product_svc, called for products that the replica does not know yet."""

from collections.abc import Iterator, Sequence
from uuid import UUID

import httpx
from pydantic import BaseModel, ValidationError

from chassis.http.request_spans import ServiceClient
from order_svc.errors import CatalogueUnavailable
from order_svc.replicas.domain import Product
from schemas.values import Variant

TIMEOUT_SECONDS = 2.0


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


class ProductClient:
    """A client of the REST API of product_svc at ``url``."""

    def __init__(self, url: str) -> None:
        self._client = ServiceClient(url, TIMEOUT_SECONDS)

    async def find(self, skus: Sequence[str]) -> list[Product]:
        """The products of those SKUs that exist; raise ``CatalogueUnavailable``."""
        try:
            response = await self._client.get("/v1/products", params={"sku": list(skus), "limit": 200})
            response.raise_for_status()
            page = _Page.model_validate_json(response.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise CatalogueUnavailable(skus=list(skus)) from error
        return [product for product in _by_sku(page) if product.sku in skus]

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()


def _by_sku(page: _Page) -> Iterator[Product]:
    for product in page.items:
        for variant in product.variants:
            for_sale = product.status == variant.status == "active"
            yield Product(
                variant.sku, product.id, product.name, variant.price, product.version, for_sale, by_rest=True
            )
