"""Products: what is sold.

owns        the catalogue, the categories, the stock, the reservations, the imports (MongoDB)
publishes   product.events, stock.events
consumes    order.events, erasure.events
"""

SERVICE = "product_svc"
