"""Who may use which route: the table that every route has to be in.

What a route's guard means is tested in ``test_guards``. A route that needs a body to come as far as its owner's
check has one here; names in braces stand for what the owner has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tests.contracts.shop import ADDRESS

Who = Literal["anybody", "oneself", "customers", "owner", "staff", "ops"]
"""``anybody`` needs no token. ``oneself`` is about whoever asks, ``customers`` too, and refuses staff. ``owner``
is about one thing: for other customers there is no such thing. ``staff`` and ``ops`` refuse all others."""


@dataclass(frozen=True)
class Guard:
    """Who may, and a request that would be right if they may."""

    who: Who
    body: Any = None


ANYBODY, ONESELF, CUSTOMERS = Guard("anybody"), Guard("oneself"), Guard("customers")
OWNER, STAFF, OPS = Guard("owner"), Guard("staff"), Guard("ops")

EVERYWHERE: Mapping[str, Guard] = {
    "GET /health/live": ANYBODY,
    "GET /health/ready": ANYBODY,
    "GET /v1/ops/summary": OPS,
    "GET /v1/ops/ledger": OPS,
    "GET /v1/ops/outbox": OPS,
    "GET /v1/ops/inbox": OPS,
    "GET /v1/ops/dead-letters": OPS,
}

GUARDS: Mapping[str, Mapping[str, Guard]] = {
    "customer": {
        **EVERYWHERE,
        "GET /.well-known/jwks.json": ANYBODY,
        "POST /v1/customers": ANYBODY,
        "POST /v1/sessions": ANYBODY,
        "POST /v1/sessions/refresh": ANYBODY,
        "POST /v1/sessions/logout": ANYBODY,
        "POST /v1/email-verifications": ANYBODY,
        "POST /v1/password-reset-mails": ANYBODY,
        "POST /v1/password-resets": ANYBODY,
        # Its id is the secret: there is no account left to log in to.
        "GET /v1/erasures/{erasure_id}": ANYBODY,
        "GET /v1/customers/me": ONESELF,
        "PATCH /v1/customers/me": ONESELF,
        "POST /v1/customers/me/password-changes": ONESELF,
        "POST /v1/customers/me/verification-mails": CUSTOMERS,
        "GET /v1/customers/me/export": CUSTOMERS,
        "POST /v1/customers/me/deactivate": CUSTOMERS,
        "POST /v1/customers/me/reactivate": CUSTOMERS,
        "POST /v1/erasures": CUSTOMERS,
        "GET /v1/customers/me/addresses": CUSTOMERS,
        "POST /v1/customers/me/addresses": CUSTOMERS,
        "GET /v1/customers/me/addresses/{address_id}": OWNER,
        "PUT /v1/customers/me/addresses/{address_id}": Guard("owner", ADDRESS | {"default_for": []}),
        "DELETE /v1/customers/me/addresses/{address_id}": OWNER,
        "GET /v1/customers": STAFF,
        "GET /v1/customers/{customer_id}": STAFF,
        "POST /v1/customers/{customer_id}/deactivate": STAFF,
        "POST /v1/customers/{customer_id}/reactivate": STAFF,
    },
    "product": {
        **EVERYWHERE,
        "GET /v1/products": ANYBODY,
        "GET /v1/products/facets": ANYBODY,
        "GET /v1/products/{product_id}": ANYBODY,
        "GET /v1/categories": ANYBODY,
        "GET /v1/categories/{category_id}": ANYBODY,
        "GET /v1/stock/{sku}": ANYBODY,
        "POST /v1/products": STAFF,
        "PATCH /v1/products/{product_id}": STAFF,
        "PUT /v1/products/{product_id}/variants/{sku}": STAFF,
        "GET /v1/products.{extension}": STAFF,
        "POST /v1/categories": STAFF,
        "PATCH /v1/categories/{category_id}": STAFF,
        "DELETE /v1/categories/{category_id}": STAFF,
        "GET /v1/stock": STAFF,
        "POST /v1/stock/{sku}/adjustments": STAFF,
        "GET /v1/stock/{sku}/threshold": STAFF,
        "PUT /v1/stock/{sku}/threshold": STAFF,
        "GET /v1/stock/{sku}/movements": STAFF,
        "POST /v1/imports": STAFF,
        "GET /v1/imports": STAFF,
        "GET /v1/imports/{import_id}": STAFF,
        "POST /v1/imports/{import_id}/parts": STAFF,
        "GET /v1/imports/{import_id}/faults": STAFF,
    },
    "order": {
        **EVERYWHERE,
        "POST /v1/orders": CUSTOMERS,
        "GET /v1/orders": ONESELF,
        "GET /v1/exports/orders": CUSTOMERS,
        "GET /v1/orders/{order_id}": OWNER,
        "GET /v1/orders/{order_id}/timeline": OWNER,
        "GET /v1/orders/{order_id}/timeline/stream": OWNER,
        "PATCH /v1/orders/{order_id}": Guard("owner", {"shipping_address": ADDRESS | {"city": "Bath"}}),
        "POST /v1/orders/{order_id}/cancel": OWNER,
        "POST /v1/orders/{order_id}/shipments": STAFF,
        "POST /v1/orders/{order_id}/deliver": STAFF,
        "POST /v1/orders/{order_id}/returns": STAFF,
        "GET /v1/sagas": OPS,
        "POST /v1/sagas/{order_id}/resolve": OPS,
    },
    "notifier": {
        **EVERYWHERE,
        "GET /v1/notifications": ONESELF,
        "GET /v1/exports/notifications": CUSTOMERS,
        "GET /v1/notifications/{notification_id}": OWNER,
        "POST /v1/notifications/{notification_id}/resend": STAFF,
        "GET /v1/suppressions": STAFF,
        "GET /v1/suppressions/{suppression_id}": STAFF,
        "DELETE /v1/suppressions/{suppression_id}": STAFF,
    },
}
