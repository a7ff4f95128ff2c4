"""The order saga: what follows when product_svc replies about the stock of an order, or does not reply in time."""
