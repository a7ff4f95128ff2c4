"""What customer_svc tells: who our customers are."""

from pydantic import Field

from schemas.event import Event, event
from schemas.topics import CUSTOMER_EVENTS
from schemas.values import Id


@event("customer.registered", topic=CUSTOMER_EVENTS, key="customer_id")
class CustomerRegistered(Event):
    """Somebody opened an account."""

    customer_id: Id
    email: str = Field(examples=["ada@example.com"])
    name: str = Field(examples=["Ada Lovelace"])
