"""What product_svc tells of its catalogue."""

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import PRODUCT_EVENTS
from schemas.values import Id, Variant


@event("product.created", topic=PRODUCT_EVENTS, key="product_id")
class ProductCreated(Event):
    """A product with its variants entered the catalogue and can be ordered."""

    product_id: Id
    name: str = Field(examples=["Blue mug"])
    variants: tuple[Variant, ...] = Field(min_length=1)
