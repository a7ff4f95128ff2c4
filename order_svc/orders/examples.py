"""Example orders for the OpenAPI: what each route returns."""

from typing import Any

from chassis.http.examples import ID, MOMENT
from chassis.http.headers import carries

SHIPPED: dict[str, Any] = {
    "id": ID,
    "state": "SHIPPED",
    "lines": [
        {
            "sku": "MUG-BLUE",
            "quantity": 2,
            "name": "Blue mug",
            "unit_price": {"amount": 1250, "currency": "EUR"},
        }
    ],
    "total": {"amount": 2500, "currency": "EUR"},
    "shipping_address": {
        "name": "Ada Lovelace",
        "street": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    },
    "billing_address": None,
    "notes": "Leave it with the porter.",
    "shortages": [],
    "reason": None,
    "note": None,
    "revision": 1,
    "amendment": None,
    "shipments": [
        {
            "id": ID,
            "carrier": "DHL",
            "tracking_number": "00340434161094042557",
            "lines": [{"sku": "MUG-BLUE", "quantity": 2}],
            "at": "2026-01-03T09:30:00Z",
        }
    ],
    "returns": [],
    "version": 3,
    "placed_at": MOMENT,
    "changed_at": "2026-01-03T09:30:00Z",
    "customer_id": None,
    "customer_name": None,
}
PLACED = SHIPPED | {"state": "PENDING", "shipments": [], "version": 1, "changed_at": MOMENT}
CONFIRMED = PLACED | {"state": "CONFIRMED", "version": 2, "changed_at": "2026-01-02T03:04:06Z"}
AMENDED = CONFIRMED | {
    "amendment": {
        "revision": 2,
        "lines": [SHIPPED["lines"][0] | {"quantity": 3}],
        "total": {"amount": 3750, "currency": "EUR"},
        "shipping_address": SHIPPED["shipping_address"],
        "billing_address": None,
    },
    "version": 3,
}
CANCELLED = PLACED | {"state": "CANCELLED", "reason": "customer", "note": "Ordered twice by mistake.", "version": 3}
DELIVERED = SHIPPED | {"state": "DELIVERED", "version": 4}
RETURNED = DELIVERED | {
    "returns": [
        {
            "id": ID,
            "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
            "refund": {"amount": 1250, "currency": "EUR"},
            "reason": "Broken on arrival.",
            "at": "2026-01-08T16:00:00Z",
        }
    ],
    "version": 5,
}


def shows(status: int, order: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a route that returns such an order with its ``ETag``."""
    return {status: {"content": {"application/json": {"example": order}}, **carries("ETag")}}
