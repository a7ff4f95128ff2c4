"""Orders: what was ordered, and what became of it.

owns        orders, their timelines and the order saga (PostgreSQL)
publishes   order.events
consumes    product.events, stock.events, notification.events
"""

SERVICE = "order_svc"
