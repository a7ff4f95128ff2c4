"""Events about customers and orders, with the values that a test cares about."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from uuid_utils.compat import uuid7

from schemas import CustomerRegistered, MailedLink, OrderCancelled, OrderConfirmed, golden


def registered(
    customer_id: UUID,
    email: str = "ada@example.com",
    name: str = "Ada Lovelace",
    verify: MailedLink | None = None,
    locale: str | None = None,
) -> CustomerRegistered:
    return CustomerRegistered(customer_id=customer_id, email=email, name=name, verify=verify, locale=locale)


def link(good_for: timedelta = timedelta(hours=1)) -> MailedLink:
    """A link; it has expired if ``good_for`` is negative."""
    return MailedLink(link_id=uuid7(), expires_at=datetime.now(UTC) + good_for)


def confirmed(customer_id: UUID, order_id: UUID) -> OrderConfirmed:
    example = golden.example(OrderConfirmed)
    assert isinstance(example, OrderConfirmed)
    return example.model_copy(update={"customer_id": customer_id, "order_id": order_id})


def cancelled(customer_id: UUID, order_id: UUID) -> OrderCancelled:
    return OrderCancelled(customer_id=customer_id, order_id=order_id, reason="customer")
