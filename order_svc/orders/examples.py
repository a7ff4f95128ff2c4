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
        "company": None,
        "street": "12 St James's Square",
        "line2": "Flat 3",
        "city": "London",
        "region": None,
        "postal_code": "SW1Y 4JH",
        "country": "GB",
        "phone": "+442079460000",
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
            "status": "in_transit",
            "changed_at": None,
            "failure_reason": None,
            "refund": None,
        }
    ],
    "cancelled_remainder": None,
    "returns": [],
    "return_requests": [],
    "missing": [],
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
REMAINDER_CANCELLED = SHIPPED | {
    "cancelled_remainder": {
        "lines": [SHIPPED["lines"][0] | {"quantity": 1}],
        "amount": {"amount": 1250, "currency": "EUR"},
        "reason": "customer",
        "note": "Two are enough.",
        "at": "2026-01-04T10:00:00Z",
    },
    "version": 4,
    "changed_at": "2026-01-04T10:00:00Z",
}
PARCEL = SHIPPED["shipments"][0]
LATER = "2026-01-06T11:00:00Z"
CORRECTED = SHIPPED | {
    "shipments": [PARCEL | {"tracking_number": "00340434161094042558"}],
    **{"version": 4, "changed_at": LATER},
}
DELIVERED = SHIPPED | {
    "state": "DELIVERED",
    "shipments": [PARCEL | {"status": "delivered", "changed_at": LATER}],
    **{"version": 4, "changed_at": LATER},
}
FAILED = {"failure_reason": "refused", "refund": SHIPPED["total"], "changed_at": LATER}
UNDELIVERED = SHIPPED | {
    "state": "UNDELIVERED",
    "shipments": [PARCEL | {"status": "failed"} | FAILED],
    **{"version": 5, "changed_at": LATER},
}
CAME_BACK = UNDELIVERED | {
    "shipments": [PARCEL | {"status": "came_back"} | FAILED],
    "returns": [
        {
            "id": ID,
            "lines": [{"sku": "MUG-BLUE", "quantity": 2}],
            "refund": {"amount": 0, "currency": "EUR"},
            "reason": None,
            "at": "2026-01-09T08:00:00Z",
            "shipment_id": ID,
            "scrapped": [{"sku": "MUG-BLUE", "quantity": 1}],
        }
    ],
    **{"version": 6, "changed_at": "2026-01-09T08:00:00Z"},
}
REQUEST = {
    "id": ID,
    "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
    "reason": "Broken on arrival.",
    **{"status": "requested", "note": None, "at": "2026-01-07T18:00:00Z", "changed_at": "2026-01-07T18:00:00Z"},
}
ANSWERED = {"changed_at": "2026-01-08T09:00:00Z"}
RETURN_REQUESTED = DELIVERED | {"return_requests": [REQUEST], "version": 5}
RETURN_APPROVED = DELIVERED | {
    "return_requests": [
        REQUEST | {"status": "approved", "note": "Please use the label in the parcel."} | ANSWERED,
    ],
    "version": 6,
}
RETURN_DECLINED = DELIVERED | {
    "return_requests": [
        REQUEST | {"status": "declined", "note": "It was delivered more than a year ago."} | ANSWERED,
    ],
    "version": 6,
}
RETURNED = DELIVERED | {
    "returns": [
        {
            "id": ID,
            "lines": [{"sku": "MUG-BLUE", "quantity": 1}],
            "refund": {"amount": 1250, "currency": "EUR"},
            "reason": "Broken on arrival.",
            "at": "2026-01-08T16:00:00Z",
            "shipment_id": None,
            "scrapped": [],
        }
    ],
    "version": 5,
}


def shows(status: int, order: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a route that returns such an order with its ``ETag``."""
    return {status: {"content": {"application/json": {"example": order}}, **carries("ETag")}}
