"""The topics, named after what their events are about."""

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
