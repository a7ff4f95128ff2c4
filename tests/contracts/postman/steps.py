"""The requests of the Postman collection, in their order: each works with what those before it have made."""

from collections.abc import Sequence
from typing import Any

from tests.contracts.postman.collection import FIRST, Folders
from tests.contracts.postman.ordering import ORDERS
from tests.contracts.postman.step import TAG, Role, Step

EMAIL, LEAVER = "{{run}}@example.com", "leaver-{{run}}@example.com"
PASSWORD, SECOND = "correct horse battery", "correct horse battery staple"
HOME = {
    "name": "Ada Lovelace",
    "street": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
TOKENS = {"customer_token": "body.access_token", "refresh_token": "body.refresh_token"}
NO_LINK = "0000000000000000000000000000000000000000000"


def _log_in(name: str, who: Role, email: str, password: str) -> Step:
    body = {"email": email, "password": password}
    return Step(name, "POST /v1/sessions", 201, body=body, keeps={f"{who}_token": "body.access_token"})


def _registration(email: str) -> dict[str, Any]:
    return {"email": email, "password": PASSWORD, "name": "Ada Lovelace", "locale": "en"}


HEALTH: Sequence[Step] = (
    Step("Is it running?", "GET /health/live", 200, holds={"it is": "body.status === 'ok'"}),
    Step("Can it work?", "GET /health/ready", 200, holds={"it can": "body.status === 'ok'"}),
)
OPS: Sequence[Step] = (
    Step(
        "Read what waits",
        "GET /v1/ops/summary",
        200,
        "ops",
        holds={"what is dead is counted": "body.dead_letters.dead >= 0"},
    ),
    *(
        Step(
            f"Stream {what}",
            f"GET /v1/ops/{what}",
            200,
            "ops",
            holds={"is whole": """body.includes('"kind":"end"')"""},
        )
        for what in ("ledger", "outbox", "inbox", "dead-letters")
    ),
)

SESSIONS: Sequence[Step] = (
    Step(FIRST, "POST /v1/customers", 202, body=_registration(EMAIL), told=("Location",)),
    Step(
        "Log in",
        "POST /v1/sessions",
        201,
        body={"email": EMAIL, "password": PASSWORD},
        keeps=TOKENS,
    ),
    Step(
        "Stay logged in", "POST /v1/sessions/refresh", 200, body={"refresh_token": "{{refresh_token}}"}, keeps=TOKENS
    ),
    _log_in("Log in as staff", "staff", "{{staff_email}}", "{{staff_password}}"),
    _log_in("Log in as ops", "ops", "{{ops_email}}", "{{ops_password}}"),
    Step(
        "Read the keys of tokens", "GET /.well-known/jwks.json", 200, holds={"there is one": "body.keys.length > 0"}
    ),
    Step("Ask for another verification mail", "POST /v1/customers/me/verification-mails", 202, "customer"),
    Step("Confirm an address", "POST /v1/email-verifications", 409, body={"token": NO_LINK}),
    Step("Forget the password", "POST /v1/password-reset-mails", 202, body={"email": EMAIL}),
    Step(
        "Set the forgotten password",
        "POST /v1/password-resets",
        409,
        body={"token": NO_LINK, "new_password": SECOND},
        holds={"the link is spent": "body.code === 'link_spent'"},
    ),
    Step(
        "Change the password",
        "POST /v1/customers/me/password-changes",
        204,
        "customer",
        body={"current_password": PASSWORD, "new_password": SECOND},
    ),
    Step("Log in again", "POST /v1/sessions", 201, body={"email": EMAIL, "password": SECOND}, keeps=TOKENS),
    Step("Log out", "POST /v1/sessions/logout", 204, body={"refresh_token": "{{refresh_token}}"}),
)

PROFILE: Sequence[Step] = (
    Step(
        "Read one's account",
        "GET /v1/customers/me",
        200,
        "customer",
        told=("ETag",),
        keeps={"customer_id": "body.id"},
        holds={"it is the one": "body.role === 'customer'"},
    ),
    Step(
        "Change one's profile",
        "PATCH /v1/customers/me",
        200,
        "customer",
        {"locale": "de"},
        headers=TAG,
        told=("ETag",),
    ),
    Step(
        "Add an address",
        "POST /v1/customers/me/addresses",
        201,
        "customer",
        HOME | {"default_for": ["shipping", "billing"]},
        told=("Location", "ETag"),
        keeps={"address_id": "body.id"},
    ),
    Step(
        "List one's addresses",
        "GET /v1/customers/me/addresses",
        200,
        "customer",
        holds={"one": "body.items.length === 1"},
    ),
    Step("Read an address", "GET /v1/customers/me/addresses/{address_id}", 200, "customer", told=("ETag",)),
    Step(
        "Change an address",
        "PUT /v1/customers/me/addresses/{address_id}",
        200,
        "customer",
        HOME | {"city": "Bath", "default_for": ["shipping"]},
        headers=TAG,
        told=("ETag",),
        holds={"it is moved": "body.city === 'Bath'"},
    ),
    Step("Forget an address", "DELETE /v1/customers/me/addresses/{address_id}", 204, "customer", headers=TAG),
    Step("Export one's data", "GET /v1/customers/me/export", 200, "customer", told=("Content-Disposition",)),
)

STANDING: Sequence[Step] = (
    Step(
        "Leave for a while",
        "POST /v1/customers/me/deactivate",
        200,
        "customer",
        holds={"out": "body.state === 'deactivated'"},
    ),
    Step("Come back", "POST /v1/customers/me/reactivate", 200, "customer", holds={"in": "body.state === 'active'"}),
    Step(
        "Search customers",
        "GET /v1/customers",
        200,
        "staff",
        query="q={{run}}",
        holds={"found": "body.items.length === 1"},
    ),
    Step("Read a customer", "GET /v1/customers/{customer_id}", 200, "staff", told=("ETag",)),
    Step("Put a customer out of use", "POST /v1/customers/{customer_id}/deactivate", 200, "staff"),
    Step("Put a customer in use again", "POST /v1/customers/{customer_id}/reactivate", 200, "staff"),
    Step("Register who will leave", "POST /v1/customers", 202, body=_registration(LEAVER)),
    _log_in("Log in to leave", "leaver", LEAVER, PASSWORD),
    Step(
        "Be erased",
        "POST /v1/erasures",
        202,
        "leaver",
        {"password": PASSWORD},
        told=("Location",),
        keeps={"erasure_id": "body.id"},
    ),
    Step("Follow the erasure", "GET /v1/erasures/{erasure_id}", 200, until="body.state === 'done'"),
)

MUG = {
    "name": "Enamel mug",
    "category_id": "{{category_id}}",
    "attributes": {"material": "steel"},
    "variants": [{"sku": "{{sku}}", "price": {"amount": 1250, "currency": "EUR"}}],
}
CATALOGUE: Sequence[Step] = (
    Step(
        "Add a category",
        "POST /v1/categories",
        201,
        "staff",
        {"name": "Mugs", "attributes_schema": {"type": "object", "properties": {"material": {"type": "string"}}}},
        told=("Location", "ETag"),
        keeps={"category_id": "body.id"},
    ),
    Step("List the categories", "GET /v1/categories", 200, holds={"some": "body.items.length > 0"}),
    Step("Read a category", "GET /v1/categories/{category_id}", 200, told=("ETag",)),
    Step(
        "Change a category",
        "PATCH /v1/categories/{category_id}",
        200,
        "staff",
        {"name": "Cups"},
        headers=TAG,
        told=("ETag",),
    ),
    Step(
        "Add a product",
        "POST /v1/products",
        201,
        "staff",
        MUG,
        told=("Location", "ETag"),
        keeps={"product_id": "body.id"},
        holds={"it is active": "body.status === 'active'"},
    ),
    Step(
        "Browse the catalogue",
        "GET /v1/products",
        200,
        query="sku={{sku}}",
        holds={"found": "body.items.length === 1"},
    ),
    Step(
        "Count what can be found",
        "GET /v1/products/facets",
        200,
        query="sku={{sku}}",
        holds={"one": "body.total === 1"},
    ),
    Step("Read a product", "GET /v1/products/{product_id}", 200, told=("ETag",)),
    Step(
        "Change a product",
        "PATCH /v1/products/{product_id}",
        200,
        "staff",
        {"description": "Holds a third of a litre."},
        headers=TAG,
        told=("ETag",),
    ),
    Step(
        "Add a variant",
        "PUT /v1/products/{product_id}/variants/{sku}",
        200,
        "staff",
        {"price": {"amount": 1300, "currency": "EUR"}},
        headers=TAG,
        told=("ETag",),
        holds={"it costs more": "body.variants[0].price.amount === 1300"},
    ),
    Step(
        "Export the catalogue",
        "GET /v1/products.{extension}",
        200,
        "staff",
        told=("Product-Count",),
        holds={"it is in it": "body.includes(pm.collectionVariables.get('sku'))"},
    ),
    Step(
        "Empty the category",
        "PATCH /v1/products/{product_id}",
        200,
        "staff",
        {"category_id": None},
        headers={"If-Match": "*"},
    ),
    Step("Remove a category", "DELETE /v1/categories/{category_id}", 204, "staff", headers={"If-Match": "*"}),
)

STOCK: Sequence[Step] = (
    Step(
        "Book a delivery",
        "POST /v1/stock/{sku}/adjustments",
        201,
        "staff",
        {"delta": 10, "reason": "delivery"},
        headers={"Idempotency-Key": "{{run}}"},
    ),
    Step(
        "Book it again",
        "POST /v1/stock/{sku}/adjustments",
        201,
        "staff",
        {"delta": 10, "reason": "delivery"},
        headers={"Idempotency-Key": "{{run}}"},
        told=("Idempotency-Replayed",),
        holds={"not twice": "body.on_hand === 10"},
    ),
    Step("Read the stock", "GET /v1/stock/{sku}", 200, holds={"ten": "body.available === 10"}),
    Step("Read the ledger", "GET /v1/stock/{sku}/movements", 200, "staff", holds={"one": "body.items.length === 1"}),
    Step("Read the threshold", "GET /v1/stock/{sku}/threshold", 200, "staff", told=("ETag",)),
    Step(
        "Set the threshold",
        "PUT /v1/stock/{sku}/threshold",
        200,
        "staff",
        {"threshold": 10},
        headers=TAG,
        told=("ETag",),
    ),
    Step("List what is low", "GET /v1/stock", 200, "staff"),
)

LINE = '{"name": "Steel mug", "variants": [{"sku": "I-{{sku}}", "price": {"amount": 990, "currency": "EUR"}}]}\n'
IMPORTS: Sequence[Step] = (
    Step(
        "Begin an import",
        "POST /v1/imports",
        201,
        "staff",
        {"format": "ndjson", "lines": 2},
        told=("Location",),
        keeps={"import_id": "body.id"},
    ),
    Step(
        "Send lines",
        "POST /v1/imports/{import_id}/parts",
        200,
        "staff",
        LINE + '{"name": "No variants"}\n',
        media="application/x-ndjson",
        query="first_line=1",
        holds={"one came in": "body.created === 1", "one did not": "body.failed === 1"},
    ),
    Step("Follow the import", "GET /v1/imports/{import_id}", 200, "staff", holds={"done": "body.done === 2"}),
    Step(
        "Read its faults",
        "GET /v1/imports/{import_id}/faults",
        200,
        "staff",
        holds={"line 2": "body.items[0].line === 2"},
    ),
    Step("List imports", "GET /v1/imports", 200, "staff"),
)

MAILS: Sequence[Step] = (
    Step(
        "Wait for the receipt",
        "GET /v1/notifications",
        200,
        "customer",
        query="order_id={{order_id}}",
        until="body.items.some((mail) => mail.template === 'receipt' && mail.state === 'sent')",
        keeps={"notification_id": "body.items.find((mail) => mail.template === 'receipt').id"},
    ),
    Step(
        "Read a mail",
        "GET /v1/notifications/{notification_id}",
        200,
        "customer",
        holds={
            "sent": "body.state === 'sent'",
            "about the order": "body.text.includes(pm.collectionVariables.get('order_id'))",
        },
    ),
    Step(
        "Send a mail again",
        "POST /v1/notifications/{notification_id}/resend",
        202,
        "staff",
        headers={"Idempotency-Key": "{{run}}"},
        told=("Location",),
    ),
    Step("List suppressed addresses", "GET /v1/suppressions", 200, "staff"),
    Step("Read why one is suppressed", "GET /v1/suppressions/{suppression_id}", 404, "staff"),
    Step("Lift a suppression", "DELETE /v1/suppressions/{suppression_id}", 404, "staff", headers={"If-Match": "*"}),
)
# Once every mail has left, so that the stream comes to its end.
STREAM: Sequence[Step] = (
    Step("Follow an order to its end", "GET /v1/orders/{order_id}/timeline/stream", 200, "customer"),
)

ROOMS = ("customer", "product", "order", "notifier")
FOLDERS: Folders = {
    **{f"Health: {service}": (service, HEALTH) for service in ROOMS},
    "Sessions and passwords": ("customer", SESSIONS),
    "Profile and addresses": ("customer", PROFILE),
    "Catalogue": ("product", CATALOGUE),
    "Stock": ("product", STOCK),
    "Imports": ("product", IMPORTS),
    "Orders": ("order", ORDERS),
    "Mails": ("notifier", MAILS),
    "An order's way, as events": ("order", STREAM),
    "Staying and leaving": ("customer", STANDING),
    **{f"Ops: {service}": (service, OPS) for service in ROOMS},
}
ENVIRONMENT = {
    **{f"{service}_url": f"http://127.0.0.1:{8001 + number}" for number, service in enumerate(ROOMS)},
    "staff_email": "staff@example.com",
    "staff_password": "",
    "ops_email": "ops@example.com",
    "ops_password": "",
    "extension": "ndjson",
    # An id of none: whether an address is suppressed is up to its mail server.
    "suppression_id": "019b7c61-0000-7000-8000-000000000000",
}
"""Passwords are not written down: ``make run`` keeps them in files that it names."""
