"""The events of product_svc about its catalogue."""

from typing import Literal

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import PRODUCT_EVENTS
from schemas.values import Id, Offer, Variant


@event("product.created", topic=PRODUCT_EVENTS, key="product_id")
class ProductCreated(Event):
    """A product with its variants entered the catalogue and can be ordered."""

    product_id: Id
    name: str = Field(examples=["Blue mug"])
    variants: tuple[Variant, ...] = Field(min_length=1)


@event("product.drafted", topic=PRODUCT_EVENTS, key="product_id")
class ProductDrafted(Event):
    """A product is being prepared. It cannot be ordered, and may never be."""

    product_id: Id
    name: str = Field(examples=["Blue mug"])


@event("product.changed", topic=PRODUCT_EVENTS, key="product_id")
class ProductChanged(Event):
    """A product was changed: its name, its status and all of its SKUs, as they are now."""

    product_id: Id
    name: str = Field(examples=["Blue mug"])
    status: Literal["draft", "active", "discontinued"] = Field(examples=["active"])
    offers: tuple[Offer, ...] = Field(min_length=1)
