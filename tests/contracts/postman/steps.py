"""The requests of the Postman collection, in their order: each works with what those before it have made."""

from collections.abc import Sequence
from typing import Any

from tests.contracts.postman.collection import FIRST, Folders
from tests.contracts.postman.ordering import ORDERS
from tests.contracts.postman.selling import CATALOGUE, IMPORTS, STOCK
from tests.contracts.postman.step import TAG, Role, Step

ABOUT = "Every route of the four services, in an order that works from top to bottom."
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
FORGETFUL = "forgetful-{{run}}@example.com"
NOBODY = "no-such-mailbox-{{run}}@example.com"
"""The mail servers of `make run` and of `compose.yaml` refuse mail to such an address for good."""


def log_in(name: str, who: Role, email: str, password: str) -> Step:
    """Get a token for somebody."""
    body = {"email": email, "password": password}
    return Step(name, "POST /v1/sessions", 201, body=body, keeps={f"{who}_token": "body.access_token"})


def _link_of(page: str, to: str, subject: str, what: str, variable: str) -> Sequence[Step]:
    """Look into a mailbox for a mail, and take the token out of its link to this page.

    The mail sink of `make run` answers as Mailpit does, which finds addresses that this one is a part of, too.
    """
    theirs = f"mail.To.some((one) => one.Address === pm.variables.replaceIn('{to}'))"
    found = f"body.messages.find((mail) => mail.Subject === '{subject}' && {theirs})"
    token = f"/{page}#([A-Za-z0-9_-]{{43}})/.exec(body.Text)"
    return (
        Step(
            f"Find the mail that {what}",
            "GET /api/v1/search",
            200,
            query=f"query=to:{to}",
            until=f"{found} !== undefined",
            keeps={"message_id": f"{found}.ID"},
        ),
        Step(
            f"Read the mail that {what}",
            "GET /api/v1/message/{message_id}",
            200,
            holds={"it has a link": f"{token} !== null"},
            keeps={variable: f"{token}[1]"},
        ),
    )


def registration(email: str) -> dict[str, Any]:
    """The body that opens an account."""
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
    Step(FIRST, "POST /v1/customers", 202, body=registration(EMAIL), told=("Location",)),
    Step("Register an address that nobody has", "POST /v1/customers", 202, body=registration(NOBODY)),
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
    log_in("Log in as staff", "staff", "{{staff_email}}", "{{staff_password}}"),
    log_in("Log in as ops", "ops", "{{ops_email}}", "{{ops_password}}"),
    Step(
        "Read the keys of tokens", "GET /.well-known/jwks.json", 200, holds={"there is one": "body.keys.length > 0"}
    ),
    Step("Ask for another verification mail", "POST /v1/customers/me/verification-mails", 202, "customer"),
)
VERIFICATION: Sequence[Step] = _link_of(
    "verify-email", EMAIL, "Please confirm your email address", "confirms the address", "verify_token"
)
VERIFIED: Sequence[Step] = (
    Step("Confirm an address", "POST /v1/email-verifications", 204, body={"token": "{{verify_token}}"}),
    Step(
        "Confirm it once more",
        "POST /v1/email-verifications",
        409,
        body={"token": "{{verify_token}}"},
        holds={"the link is spent": "body.code === 'link_spent'"},
    ),
    # Another account, for mails that one asks for leave once in a minute.
    Step("Register who will forget", "POST /v1/customers", 202, body=registration(FORGETFUL)),
    Step("Forget the password", "POST /v1/password-reset-mails", 202, body={"email": FORGETFUL}),
)
RESET: Sequence[Step] = _link_of(
    "reset-password", FORGETFUL, "Set a new password", "sets a new password", "reset_token"
)
PASSWORDS: Sequence[Step] = (
    Step(
        "Set the forgotten password",
        "POST /v1/password-resets",
        204,
        body={"token": "{{reset_token}}", "new_password": SECOND},
    ),
    Step(
        "Log in with the old password",
        "POST /v1/sessions",
        401,
        body={"email": FORGETFUL, "password": PASSWORD},
        holds={"it is no more": "body.code === 'wrong_credentials'"},
    ),
    Step(
        "Log in with the new password",
        "POST /v1/sessions",
        201,
        body={"email": FORGETFUL, "password": SECOND},
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
)

STANDING: Sequence[Step] = (
    Step(
        "Export one's data",
        "GET /v1/customers/me/export",
        200,
        "customer",
        told=("Content-Disposition",),
        holds={
            "it is one's own": "body.account.id === pm.collectionVariables.get('customer_id')",
            "it has the order": "body.orders.some((one) => one.id === pm.collectionVariables.get('order_id'))",
            "and all that happened to it": "body.orders.every((one) => one.timeline[0].type === 'order.placed')",
            "and the mails": "body.notifications.some((mail) => mail.template === 'receipt')",
        },
    ),
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
        holds={"found": "body.items.length === 3"},
    ),
    Step("Read a customer", "GET /v1/customers/{customer_id}", 200, "staff", told=("ETag",)),
    Step("Put a customer out of use", "POST /v1/customers/{customer_id}/deactivate", 200, "staff"),
    Step("Put a customer in use again", "POST /v1/customers/{customer_id}/reactivate", 200, "staff"),
    Step("Register who will leave", "POST /v1/customers", 202, body=registration(LEAVER)),
    log_in("Log in to leave", "leaver", LEAVER, PASSWORD),
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

_NOBODY = "pm.variables.replaceIn('" + NOBODY + "')"
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
        "Export one's mails",
        "GET /v1/exports/notifications",
        200,
        "customer",
        query="limit=1",
        holds={"the last": "body.items.length === 1", "there are more": "body.next !== null"},
    ),
    Step(
        "Send a mail again",
        "POST /v1/notifications/{notification_id}/resend",
        202,
        "staff",
        headers={"Idempotency-Key": "{{run}}"},
        told=("Location",),
    ),
    Step(
        "Wait until an address is suppressed",
        "GET /v1/suppressions",
        200,
        "staff",
        until=f"body.items.some((one) => one.email === {_NOBODY})",
        keeps={"suppression_id": f"body.items.find((one) => one.email === {_NOBODY}).id"},
    ),
    Step(
        "Read why one is suppressed",
        "GET /v1/suppressions/{suppression_id}",
        200,
        "staff",
        told=("ETag",),
        holds={"nobody is there": "body.reason.includes('5.1.')"},
    ),
    Step("Lift a suppression", "DELETE /v1/suppressions/{suppression_id}", 204, "staff", headers=TAG),
    Step("Look for it once more", "GET /v1/suppressions/{suppression_id}", 404, "staff"),
)
# Once every mail has left, so that the stream comes to its end.
STREAM: Sequence[Step] = (
    Step(
        "Follow an order to its end",
        "GET /v1/orders/{order_id}/timeline/stream",
        200,
        "customer",
        holds={"it has come to its end": "body.includes('event: end')"},
    ),
    Step(
        "Follow it where its timeline is",
        "GET /v1/orders/{order_id}/timeline",
        200,
        "customer",
        media="text/event-stream",
        headers={"Accept": "text/event-stream"},
        told=("Vary",),
        holds={"it has come to its end": "body.includes('event: end')"},
    ),
)

ROOMS = ("customer", "product", "order", "notifier")
FOLDERS: Folders = {
    **{f"Health: {service}": (service, HEALTH) for service in ROOMS},
    "Sessions": ("customer", SESSIONS),
    "A mailbox: the address": ("mail", VERIFICATION),
    "Addresses confirmed": ("customer", VERIFIED),
    "A mailbox: the password": ("mail", RESET),
    "Passwords": ("customer", PASSWORDS),
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
    "mail_url": "http://127.0.0.1:8025",
}
"""Passwords are not written down: ``make run`` keeps them in files that it names."""
