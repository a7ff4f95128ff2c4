"""Orders: what was ordered, and what became of it.

owns        orders, their timelines and the order saga (PostgreSQL)
publishes   order.events, erasure.events
consumes    customer.events, product.events, stock.events, notification.events
"""

SERVICE = "order_svc"
