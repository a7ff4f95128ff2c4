"""Who may use each route, and with which parameters: every route and parameter of the OpenAPI documents must be here.

``test_guards`` enforces these tables. A route has a body here if it needs one to get past validation; names in braces
stand for the owner's data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.contracts.shop import ADDRESS, BASKET, PASSWORD

Who = Literal["anybody", "oneself", "customers", "owner", "owner or staff", "staff", "ops"]
"""``anybody``: no token is needed. ``oneself``: about the client; ``customers``: the same, but staff get a 403.
``owner``: about one resource of a customer, for other customers a 404, for staff a 403; ``owner or staff``: staff
may use it too, for ops a 404. ``staff`` and ``ops``: all others get a 403."""


@dataclass(frozen=True)
class Guard:
    """Who may use a route, and a request that is valid if they may.

    ``owned``: parameters that can name data of customers → which data of the owner the test uses.
    """

    who: Who
    body: Any = None
    owned: Mapping[str, str] = field(default_factory=dict)
    cacheable: bool = False
    """Whether what the route says without a token may be kept for some seconds; all else may be kept nowhere."""

    @property
    def parameters(self) -> frozenset[str]:
        """The names of the query parameters and headers that are known."""
        return PLAIN | self.owned.keys() | (frozenset() if self.who in SHARED else PUBLIC)


SHARED: tuple[Who, ...] = ("oneself", "customers", "owner", "owner or staff")
"""Routes by which customers reach their own data, and nothing else."""
PLAIN = frozenset(
    {
        "limit",
        "state",
        "status",
        "return_request",
        "template",
        "placed_from",
        "placed_to",
        "wait",
        "If-Match",
        "If-None-Match",
        "prefer",
        "Last-Event-ID",
    }
)
"""Parameters that never name data of customers."""
PUBLIC = frozenset(
    {
        *("q", "sku", "category_id", "attribute", "currency", "price_min", "price_max", "available", "sort"),
        "count",
        *("cursor", "first_line", "idempotency-key", "Idempotency-Key", "customer_id"),
        *("type", "key", "fingerprint", "by", "account_id", "action", "outcome"),
    }
)
"""Parameters that do not name data of customers on public routes, and on routes for staff and ops."""
ANYBODY, ONESELF, CUSTOMERS = Guard("anybody"), Guard("oneself"), Guard("customers")
CATALOGUE = Guard("anybody", cacheable=True)
OWNER, SHOWN, STAFF, OPS = Guard("owner"), Guard("owner or staff"), Guard("staff"), Guard("ops")

EVERYWHERE: Mapping[str, Guard] = {
    "GET /health/live": ANYBODY,
    "GET /health/ready": ANYBODY,
    "GET /v1/ops/summary": OPS,
    "GET /v1/ops/ledger": OPS,
    "GET /v1/ops/outbox": OPS,
    "GET /v1/ops/inbox": OPS,
    "GET /v1/ops/dead-letters": OPS,
    "POST /v1/ops/lookup": Guard("ops", {"event_ids": ["019b7c61-0000-7000-8000-00009395c3f3"]}),
    "GET /v1/ops/traces/{key}": OPS,
    "GET /v1/ops/letters": OPS,
    "GET /v1/ops/letters/groups": OPS,
    "GET /v1/ops/letters/{event_id}": OPS,
    "POST /v1/ops/letters/{event_id}/reveal": Guard("ops", {"why": "a test"}),
    "POST /v1/ops/letters/{event_id}/edit": Guard("ops", {"value": "{}", "why": "a test"}),
    "POST /v1/ops/letters/{event_id}/discard": Guard("ops", {"why": "a test"}),
    "POST /v1/ops/redrives": Guard("ops", {"all": True, "why": "a test"}),
    "GET /v1/ops/redrives": OPS,
    "GET /v1/ops/redrives/{job_id}": OPS,
    "POST /v1/ops/replays": Guard("ops", {"why": "a test"}),
    "GET /v1/ops/replays": OPS,
    "GET /v1/ops/replays/{job_id}": OPS,
    "PATCH /v1/ops/replays/{job_id}": Guard("ops", {"state": "running", "why": "a test"}),
    "GET /v1/ops/actions": OPS,
}

WITH_REPLICAS: Mapping[str, Guard] = {
    "POST /v1/ops/rebuilds": Guard("ops", {"replica": "customers", "why": "a test"}),
    "GET /v1/ops/rebuilds": OPS,
    "GET /v1/ops/rebuilds/{job_id}": OPS,
    "GET /v1/ops/rebuilds/{job_id}/difference": OPS,
    "POST /v1/ops/rebuilds/{job_id}/swap": Guard("ops", {"why": "a test"}),
    "POST /v1/ops/rebuilds/{job_id}/undo": Guard("ops", {"why": "a test"}),
    "POST /v1/ops/rebuilds/{job_id}/cancel": Guard("ops", {"why": "a test"}),
}

GUARDS: Mapping[str, Mapping[str, Guard]] = {
    "customer": {
        **EVERYWHERE,
        "GET /.well-known/jwks.json": ANYBODY,
        "GET /.well-known/revoked-tokens.json": ANYBODY,
        "POST /v1/customers": ANYBODY,
        "POST /v1/sessions": ANYBODY,
        "POST /v1/sessions/refresh": ANYBODY,
        "POST /v1/sessions/logout": ANYBODY,
        "POST /v1/sessions/logout-everywhere": ONESELF,
        # With the password in the body, and perhaps a code.
        "POST /v1/totp/enrolments": ANYBODY,
        "POST /v1/totp/confirmations": ANYBODY,
        "POST /v1/totp/removals": ANYBODY,
        "POST /v1/email-verifications": ANYBODY,
        "POST /v1/email-change-confirmations": ANYBODY,
        "POST /v1/email-change-reversals": ANYBODY,
        "POST /v1/password-reset-mails": ANYBODY,
        "POST /v1/password-resets": ANYBODY,
        "POST /v1/unsubscriptions": ANYBODY,
        # Its id is the secret: there is no account left to log in to.
        "GET /v1/erasures/{erasure_id}": ANYBODY,
        "GET /v1/customers/me": ONESELF,
        "PATCH /v1/customers/me": Guard("oneself", {"name": "Ada"}),
        "POST /v1/customers/me/password-changes": Guard(
            "oneself", {"current_password": PASSWORD, "new_password": PASSWORD}
        ),
        "GET /v1/customers/me/export": CUSTOMERS,
        "POST /v1/customers/me/deactivate": CUSTOMERS,
        "POST /v1/customers/me/reactivate": CUSTOMERS,
        # With a wrong password: the customers are needed for other tests.
        "POST /v1/customers/me/email-changes": Guard(
            "customers", {"email": "ada.lovelace@example.com", "password": "not theirs"}
        ),
        "POST /v1/erasures": Guard("customers", {"password": "not theirs"}),
        "GET /v1/customers/me/addresses": CUSTOMERS,
        "POST /v1/customers/me/addresses": Guard("customers", ADDRESS | {"default_for": []}),
        "GET /v1/customers/me/addresses/{address_id}": OWNER,
        "PUT /v1/customers/me/addresses/{address_id}": Guard("owner", ADDRESS | {"default_for": []}),
        "DELETE /v1/customers/me/addresses/{address_id}": OWNER,
        "GET /v1/customers": STAFF,
        "GET /v1/customers/{customer_id}": STAFF,
        "POST /v1/customers/{customer_id}/deactivate": STAFF,
        "POST /v1/customers/{customer_id}/reactivate": STAFF,
        "GET /v1/staff-accounts": OPS,
        "POST /v1/staff-accounts/{account_id}/deactivate": Guard("ops", {"why": "a test"}),
        "POST /v1/staff-accounts/{account_id}/reactivate": Guard("ops", {"why": "a test"}),
        "POST /v1/accounts/{account_id}/totp-removals": Guard("ops", {"why": "a test"}),
        "GET /v1/audit-log": OPS,
        "POST /v1/ops/traces": Guard("ops", {"email": "ada@example.com"}),
    },
    "product": {
        **EVERYWHERE,
        "GET /v1/products": CATALOGUE,
        "GET /v1/products/facets": CATALOGUE,
        "GET /v1/products/suggestions": CATALOGUE,
        "GET /v1/products/{product_id}": CATALOGUE,
        "GET /v1/categories": CATALOGUE,
        "GET /v1/categories/{category_id}": CATALOGUE,
        "GET /v1/stock/{sku}": CATALOGUE,
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
        **WITH_REPLICAS,
        "POST /v1/orders": Guard("customers", BASKET, {"idempotency-key": "key"}),
        "GET /v1/orders": Guard(
            "oneself", owned={"customer_id": "customer_id", "q": "order_id", "cursor": "latest_order_id"}
        ),
        "GET /v1/exports/orders": Guard("customers", owned={"cursor": "latest_order_id"}),
        "GET /v1/orders/{order_id}": SHOWN,
        "GET /v1/orders/{order_id}/timeline": SHOWN,
        "GET /v1/orders/{order_id}/timeline/stream": SHOWN,
        "PATCH /v1/orders/{order_id}": Guard("owner", {"shipping_address": ADDRESS | {"city": "Bath"}}),
        "POST /v1/orders/{order_id}/cancel": SHOWN,
        "POST /v1/orders/{order_id}/shipments": STAFF,
        "POST /v1/orders/{order_id}/cancel-remainder": SHOWN,
        "POST /v1/orders/{order_id}/deliver": STAFF,
        "PUT /v1/orders/{order_id}/shipments/{shipment_id}/tracking": Guard(
            "staff", {"carrier": "UPS", "tracking_number": "4712"}
        ),
        "POST /v1/orders/{order_id}/shipments/{shipment_id}/deliver": STAFF,
        "POST /v1/orders/{order_id}/shipments/{shipment_id}/fail": Guard("staff", {"reason": "lost"}),
        "POST /v1/orders/{order_id}/shipments/{shipment_id}/return": STAFF,
        "POST /v1/orders/{order_id}/return-requests": Guard("owner", {"lines": [{"sku": "{sku}", "quantity": 1}]}),
        "POST /v1/orders/{order_id}/return-requests/{request_id}/approve": STAFF,
        "POST /v1/orders/{order_id}/return-requests/{request_id}/decline": STAFF,
        "POST /v1/orders/{order_id}/returns": STAFF,
        "GET /v1/sagas": OPS,
        "POST /v1/sagas/{order_id}/resolve": OPS,
    },
    "notifier": {
        **EVERYWHERE,
        **WITH_REPLICAS,
        "GET /v1/notifications": Guard(
            "oneself", owned={"customer_id": "customer_id", "order_id": "order_id", "cursor": "position"}
        ),
        "GET /v1/exports/notifications": Guard("customers", owned={"cursor": "position"}),
        "GET /v1/notifications/{notification_id}": SHOWN,
        "POST /v1/notifications/{notification_id}/resend": STAFF,
        "GET /v1/suppressions": STAFF,
        "GET /v1/suppressions/{suppression_id}": STAFF,
        "DELETE /v1/suppressions/{suppression_id}": STAFF,
    },
}

LEFT: Mapping[str, Mapping[str, int]] = {
    "customer": {
        "GET /v1/customers/me": 200,
        "PATCH /v1/customers/me": 409,
        "POST /v1/customers/me/password-changes": 204,
        "GET /v1/customers/me/export": 200,
        "POST /v1/customers/me/deactivate": 409,
        "POST /v1/customers/me/reactivate": 200,
        "POST /v1/sessions/logout-everywhere": 204,
        # They may, but the password is wrong.
        "POST /v1/customers/me/email-changes": 403,
        "POST /v1/erasures": 403,
        "GET /v1/customers/me/addresses": 200,
        "POST /v1/customers/me/addresses": 409,
        "GET /v1/customers/me/addresses/{address_id}": 200,
        "PUT /v1/customers/me/addresses/{address_id}": 409,
        "DELETE /v1/customers/me/addresses/{address_id}": 409,
    },
    "order": {
        "POST /v1/orders": 409,
        "GET /v1/orders": 200,
        "GET /v1/exports/orders": 200,
        "GET /v1/orders/{order_id}": 200,
        "GET /v1/orders/{order_id}/timeline": 200,
        "GET /v1/orders/{order_id}/timeline/stream": 200,
        "PATCH /v1/orders/{order_id}": 409,
        "POST /v1/orders/{order_id}/cancel": 200,
        "POST /v1/orders/{order_id}/cancel-remainder": 200,
        "POST /v1/orders/{order_id}/return-requests": 201,
    },
    "notifier": {
        "GET /v1/notifications": 200,
        "GET /v1/exports/notifications": 200,
        "GET /v1/notifications/{notification_id}": 200,
    },
}
"""The statuses for customers who deactivated their account and logged in again.

They can read, reactivate, be erased, and cancel what is not yet shipped. Erased customers get a 401 everywhere: their
access tokens were revoked.
"""

ENDS_SESSIONS = frozenset(
    {
        "POST /v1/customers/me/password-changes",
        "POST /v1/customers/me/deactivate",
        "POST /v1/sessions/logout-everywhere",
    }
)
"""Routes after which the client has to log in again."""
DEACTIVATES = "POST /v1/customers/{customer_id}/deactivate"
"""The route after which another has to log in again."""

WITH_LINKS = {
    *("/", "/verify-email", "/reset-password", "/forgot-password", "/change-email", "/revert-email-change"),
    *("/unsubscribe", "/order"),
}
"""Pages on which the token of a link or a password is entered."""
PAGES = {"customer": {*WITH_LINKS, "/pages/link.js", "/pages/order.js", "/pages/link.css"}}
"""Pages for people who follow a link in a mail, without a token."""
