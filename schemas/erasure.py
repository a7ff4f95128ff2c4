"""The acknowledgements of services that the personal data of an erased customer are removed from their databases.

They have a topic of their own, with few events: otherwise customer_svc, which waits for them, would have to read all
events about orders and mails.
"""

from uuid import UUID, uuid5

from schemas.event import Event, event
from schemas.topics import ERASURE_EVENTS
from schemas.values import Id

_NAMESPACE = UUID("b1f6d9a4-0f0e-5a1c-8a55-2f6b1c0d7e43")


@event("erasure.orders_anonymised", topic=ERASURE_EVENTS, key="answer_id", publisher="order_svc")
class OrdersAnonymised(Event):
    """order_svc has anonymised the customer's orders."""

    answer_id: Id
    customer_id: Id


@event("erasure.mails_anonymised", topic=ERASURE_EVENTS, key="answer_id", publisher="notifier_svc")
class MailsAnonymised(Event):
    """notifier_svc has anonymised the customer's mails: neither recipients nor contents are kept."""

    answer_id: Id
    customer_id: Id


def answer_id(service: str, customer_id: UUID) -> UUID:
    """The id of a service's one acknowledgement about a customer: an aggregate of its own, with version 1 only."""
    return uuid5(_NAMESPACE, f"{service} {customer_id}")
