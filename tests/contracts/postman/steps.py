"""The requests of the Postman collection, in order: each uses what those before it have created."""

from collections.abc import Sequence

from tests.contracts.postman.accounts import (
    ADDRESS_CHANGED,
    ADDRESS_MAILED,
    ADDRESS_REQUESTED,
    ADDRESS_REVERTED,
    ADDRESS_WARNED,
    CODES,
    LEAVING,
    NO_MAILBOX,
    PASSWORDS,
    PROFILE,
    REGISTRATION,
    RESET,
    VERIFICATION,
    VERIFIED,
)
from tests.contracts.postman.collection import Folders
from tests.contracts.postman.operating import UNKNOWN, operating
from tests.contracts.postman.ordering import ORDERS
from tests.contracts.postman.selling import CATALOGUE, IMPORTS, STOCK
from tests.contracts.postman.step import TAG, Step

ABOUT = "Every route of the four services, in an order that works from top to bottom."

HEALTH: Sequence[Step] = (
    Step("Liveness", "GET /health/live", 200, holds={"it is alive": "body.status === 'ok'"}),
    Step("Readiness", "GET /health/ready", 200, holds={"it is ready": "body.status === 'ok'"}),
)
OPS: Sequence[Step] = (
    Step(
        "Read the summary",
        "GET /v1/ops/summary",
        200,
        "ops",
        holds={"dead letters are counted": "body.dead_letters.dead >= 0"},
    ),
    *(
        Step(
            f"Stream {what}",
            f"GET /v1/ops/{what}",
            200,
            "ops",
            holds={"is complete": """body.includes('"kind":"end"')"""},
        )
        for what in ("ledger", "outbox", "inbox", "dead-letters")
    ),
    Step(
        "Look up an event",
        "POST /v1/ops/lookup",
        200,
        "ops",
        {"event_ids": [UNKNOWN]},
        holds={"nothing is known of it": "body.items[0].verdict === 'unknown'"},
    ),
    Step(
        "Read a trace",
        "GET /v1/ops/traces/{key}",
        200,
        "ops",
        variables={"key": UNKNOWN},
        holds={"it is about the key": f"body.key === '{UNKNOWN}'"},
    ),
)
FIND: Sequence[Step] = (
    Step(
        "Find a customer by e-mail address",
        "POST /v1/ops/traces",
        200,
        "ops",
        {"email": "nobody@example.com"},
        holds={"there is none": "body.account === null"},
    ),
)
_WHY = {"why": "to see how it works"}
ACCOUNTS: Sequence[Step] = (
    Step(
        "List the accounts of staff and ops",
        "GET /v1/staff-accounts",
        200,
        "ops",
        holds={"there is one of ops": "body.items.some((one) => one.role === 'ops')"},
    ),
    *(
        Step(
            f"{action.capitalize()} an unknown account of staff",
            f"POST /v1/staff-accounts/{{account_id}}/{action}",
            404,
            "ops",
            _WHY,
            variables={"account_id": UNKNOWN},
            holds={"there is none": "body.code === 'staff_account_not_found'"},
        )
        for action in ("deactivate", "reactivate")
    ),
    Step(
        "Remove the one-time codes of an unknown account",
        "POST /v1/accounts/{account_id}/totp-removals",
        404,
        "ops",
        _WHY,
        variables={"account_id": UNKNOWN},
        holds={"there is none": "body.code === 'account_not_found'"},
    ),
    Step(
        "Read the audit log",
        "GET /v1/audit-log",
        200,
        "ops",
        query="action=session.open&limit=20",
        holds={"ops have logged in": "body.items.some((one) => one.role === 'ops')"},
    ),
)

_NO_MAILBOX = "pm.variables.replaceIn('" + NO_MAILBOX + "')"
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
        "Resend a mail",
        "POST /v1/notifications/{notification_id}/resend",
        202,
        "staff",
        headers={"Idempotency-Key": "{{run}}"},
        response_headers=("Location",),
    ),
    Step(
        "Wait until an address is suppressed",
        "GET /v1/suppressions",
        200,
        "staff",
        until=f"body.items.some((one) => one.email === {_NO_MAILBOX})",
        keeps={"suppression_id": f"body.items.find((one) => one.email === {_NO_MAILBOX}).id"},
    ),
    Step(
        "Read a suppression",
        "GET /v1/suppressions/{suppression_id}",
        200,
        "staff",
        response_headers=("ETag",),
        holds={"the mailbox does not exist": "body.reason.includes('5.1.')"},
    ),
    Step("Delete a suppression", "DELETE /v1/suppressions/{suppression_id}", 204, "staff", headers=TAG),
    Step("Read it again", "GET /v1/suppressions/{suppression_id}", 404, "staff"),
)
# After all mails are sent, so that the stream ends.
STREAM: Sequence[Step] = (
    Step(
        "Stream the timeline of an order",
        "GET /v1/orders/{order_id}/timeline/stream",
        200,
        "customer",
        holds={"it has ended": "body.includes('event: end')"},
    ),
    Step(
        "Stream it by content negotiation",
        "GET /v1/orders/{order_id}/timeline",
        200,
        "customer",
        media="text/event-stream",
        headers={"Accept": "text/event-stream"},
        response_headers=("Vary",),
        holds={"it has ended": "body.includes('event: end')"},
    ),
)

SERVICES = ("customer", "product", "order", "notifier")
FOLDERS: Folders = {
    **{f"Health: {service}": (service, HEALTH) for service in SERVICES},
    "Registration": ("customer", REGISTRATION),
    "Mailbox: verification": ("mail", VERIFICATION),
    "Verification and sessions": ("customer", VERIFIED),
    "Mailbox: password reset": ("mail", RESET),
    "Passwords": ("customer", PASSWORDS),
    "One-time codes": ("customer", CODES),
    "Profile and addresses": ("customer", PROFILE),
    "Catalogue": ("product", CATALOGUE),
    "Stock": ("product", STOCK),
    "Imports": ("product", IMPORTS),
    "Orders": ("order", ORDERS),
    "Mails": ("notifier", MAILS),
    "Timeline as a stream": ("order", STREAM),
    "Change of the e-mail address": ("customer", ADDRESS_REQUESTED),
    "Mailbox: new address": ("mail", ADDRESS_MAILED),
    "Confirmation of the new address": ("customer", ADDRESS_CHANGED),
    "Mailbox: old address": ("mail", ADDRESS_WARNED),
    "Reversal of the change": ("customer", ADDRESS_REVERTED),
    "Deactivation and erasure": ("customer", LEAVING),
    **{f"Ops: {service}": (service, (*OPS, *operating(service))) for service in SERVICES},
    "Ops: find a customer": ("customer", FIND),
    "Ops: accounts and the audit log": ("customer", ACCOUNTS),
}
ENVIRONMENT = {
    **{f"{service}_url": f"http://127.0.0.1:{8001 + number}" for number, service in enumerate(SERVICES)},
    "staff_email": "staff@example.com",
    "staff_password": "",
    "ops_email": "ops@example.com",
    "ops_password": "",
    "extension": "ndjson",
    "mail_url": "http://127.0.0.1:8025",
}
"""Without passwords: ``make run`` stores them in files, and prints where."""
