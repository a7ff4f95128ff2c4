"""The topics, named after what their events are about."""

from collections.abc import Mapping

CUSTOMER_EVENTS = "customer.events"
PRODUCT_EVENTS = "product.events"
STOCK_EVENTS = "stock.events"
ORDER_EVENTS = "order.events"
NOTIFICATION_EVENTS = "notification.events"
ERASURE_EVENTS = "erasure.events"

TOPICS: tuple[str, ...] = (
    CUSTOMER_EVENTS,
    PRODUCT_EVENTS,
    STOCK_EVENTS,
    ORDER_EVENTS,
    NOTIFICATION_EVENTS,
    ERASURE_EVENTS,
)

PUBLISHERS: Mapping[str, str] = {
    CUSTOMER_EVENTS: "customer_svc",
    PRODUCT_EVENTS: "product_svc",
    STOCK_EVENTS: "product_svc",
    ORDER_EVENTS: "order_svc",
    NOTIFICATION_EVENTS: "notifier_svc",
}
"""Topic → the service that alone publishes on it. The types of the other topics name their publishers."""
