"""Examples of orders and mails in an export, for the OpenAPI.

They have no null fields: FastAPI removes those from examples, and the chassis cannot restore them without a schema.
"""

from chassis.http.examples import ID, MOMENT

ORDER = {
    "id": ID,
    "state": "CONFIRMED",
    "lines": [
        {"sku": "MUG-BLUE", "quantity": 2, "name": "Blue mug", "unit_price": {"amount": 1250, "currency": "EUR"}}
    ],
    "total": {"amount": 2500, "currency": "EUR"},
    "shipping_address": {
        "name": "Ada Lovelace",
        "street": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    },
    "shortages": [],
    "revision": 1,
    "shipments": [],
    "returns": [],
    "version": 2,
    "placed_at": MOMENT,
    "changed_at": MOMENT,
    "timeline": [{"at": MOMENT, "type": "order.placed", "detail": {"state": "PENDING"}}],
}
"""An order as order_svc returns it."""
NOTIFICATION = {
    "id": ID,
    "template": "receipt",
    "customer_id": ID,
    "order_id": ID,
    "state": "sent",
    "attempts": 1,
    "doubts": 0,
    "changed_at": MOMENT,
    "subject": "Your order 00009395c3f3 is confirmed",
    "text": "Hello Ada Lovelace,\n\nyour order is confirmed.",
}
"""A mail as notifier_svc returns it."""
