"""What services tell when the personal data of an erased customer are gone from their stores.

A topic of its own, on which there is next to nothing: customer_svc, which waits for these answers, would otherwise
read everything that is told of orders and mails only to throw it away.
"""

from uuid import UUID, uuid5

from schemas.event import Event, event
from schemas.topics import ERASURE_EVENTS
from schemas.values import Id

_ANSWERS = UUID("b1f6d9a4-0f0e-5a1c-8a55-2f6b1c0d7e43")


@event("erasure.orders_anonymised", topic=ERASURE_EVENTS, key="answer_id")
class OrdersAnonymised(Event):
    """order_svc keeps the customer's orders, and no longer whose they were."""

    answer_id: Id
    customer_id: Id


@event("erasure.mails_anonymised", topic=ERASURE_EVENTS, key="answer_id")
class MailsAnonymised(Event):
    """notifier_svc keeps which mails there were, and no longer to whom or what stood in them."""

    answer_id: Id
    customer_id: Id


def answer_id(service: str, customer_id: UUID) -> UUID:
    """The id of a service's one answer about a customer: each is an aggregate of its own, of version 1."""
    return uuid5(_ANSWERS, f"{service} {customer_id}")
