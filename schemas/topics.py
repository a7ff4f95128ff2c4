"""The topics: one per service that speaks, named after what it speaks of."""

CUSTOMER_EVENTS = "customer.events"
PRODUCT_EVENTS = "product.events"
STOCK_EVENTS = "stock.events"
ORDER_EVENTS = "order.events"
NOTIFICATION_EVENTS = "notification.events"

TOPICS: tuple[str, ...] = (CUSTOMER_EVENTS, PRODUCT_EVENTS, STOCK_EVENTS, ORDER_EVENTS, NOTIFICATION_EVENTS)
