"""The requests about accounts: registering, logging in, passwords, one-time codes, profiles, and leaving."""

from collections.abc import Sequence
from typing import Any

from tests.contracts.postman.collection import FIRST
from tests.contracts.postman.step import TAG, Role, Step

EMAIL, LEAVER = "{{run}}@example.com", "leaver-{{run}}@example.com"
PASSWORD, SECOND = "correct horse battery", "correct horse battery staple"
HOME = {
    "name": "Ada Lovelace",
    "street": "12 St James's Square",
    "line2": "Flat 3",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "phone": "+442079460000",
}
WELCOME = "Welcome! Please confirm your email address"
TOKENS = {"customer_token": "body.access_token", "refresh_token": "body.refresh_token"}
FORGETFUL = "forgetful-{{run}}@example.com"
MOVED = "moved-{{run}}@example.com"
NO_MAILBOX = "no-such-mailbox-{{run}}@example.com"
"""The mail servers of `make run` and `compose.yaml` permanently refuse mail to such an address."""


def log_in(name: str, who: Role, email: str, password: str) -> Step:
    """Log in, and store the access token."""
    body = {"email": email, "password": password}
    return Step(name, "POST /v1/sessions", 201, body=body, keeps={f"{who}_token": "body.access_token"})


def link_of(page: str, to: str, subject: str, what: str, variable: str) -> Sequence[Step]:
    """Find a mail in a mailbox, and take the token out of its link to this page.

    The mail sink of `make run` has the API of Mailpit, whose search also finds addresses that contain this one.
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


def confirm(name: str, variable: str) -> Step:
    """Confirm an address with the token in this variable."""
    return Step(name, "POST /v1/email-verifications", 204, body={"token": f"{{{{{variable}}}}}"})


def registration(email: str) -> dict[str, Any]:
    """The body of a registration."""
    return {"email": email, "password": PASSWORD, "name": "Ada Lovelace", "locale": "en"}


REGISTRATION: Sequence[Step] = (
    Step(FIRST, "POST /v1/customers", 202, body=registration(EMAIL), response_headers=("Location",)),
    Step("Register an address that does not exist", "POST /v1/customers", 202, body=registration(NO_MAILBOX)),
    Step("Register a second customer", "POST /v1/customers", 202, body=registration(FORGETFUL)),
    Step("Register that address again", "POST /v1/customers", 202, body=registration(FORGETFUL)),
    Step("Register a customer to erase", "POST /v1/customers", 202, body=registration(LEAVER)),
    Step(
        "Log in before the address is confirmed",
        "POST /v1/sessions",
        401,
        body={"email": EMAIL, "password": PASSWORD},
        holds={"as if there were no account": "body.code === 'wrong_credentials'"},
    ),
    log_in("Log in as staff", "staff", "{{staff_email}}", "{{staff_password}}"),
    log_in("Log in as ops", "ops", "{{ops_email}}", "{{ops_password}}"),
    Step("Read the public keys", "GET /.well-known/jwks.json", 200, holds={"there is one": "body.keys.length > 0"}),
)
VERIFICATION: Sequence[Step] = (
    *link_of("verify-email", EMAIL, WELCOME, "confirms the address", "verify_token"),
    *link_of("verify-email", FORGETFUL, WELCOME, "confirms the second address", "second_token"),
    *link_of("verify-email", LEAVER, WELCOME, "confirms the address of the leaver", "third_token"),
)
VERIFIED: Sequence[Step] = (
    confirm("Confirm an address", "verify_token"),
    Step(
        "Confirm it again",
        "POST /v1/email-verifications",
        409,
        body={"token": "{{verify_token}}"},
        holds={"the link is invalid": "body.code === 'link_invalid'"},
    ),
    Step(
        "Confirm an address that was registered more than once",
        "POST /v1/email-verifications",
        409,
        body={"token": "{{second_token}}"},
        holds={"the link alone is not enough": "body.code === 'registration_contested'"},
    ),
    Step(
        "Confirm it with a name and a password",
        "POST /v1/email-verifications",
        204,
        body={"token": "{{second_token}}", "owner": {"name": "Ada Lovelace", "password": PASSWORD}},
    ),
    confirm("Confirm the address of the leaver", "third_token"),
    Step(
        "Log in",
        "POST /v1/sessions",
        201,
        body={"email": EMAIL, "password": PASSWORD},
        keeps=TOKENS,
    ),
    Step(
        "Refresh the session",
        "POST /v1/sessions/refresh",
        200,
        body={"refresh_token": "{{refresh_token}}"},
        keeps=TOKENS,
    ),
    Step("Request a password reset", "POST /v1/password-reset-mails", 202, body={"email": FORGETFUL}),
)
RESET: Sequence[Step] = link_of(
    "reset-password", FORGETFUL, "Reset your password", "sets a new password", "reset_token"
)
PASSWORDS: Sequence[Step] = (
    Step(
        "Set a new password",
        "POST /v1/password-resets",
        204,
        body={"token": "{{reset_token}}", "new_password": SECOND},
    ),
    Step(
        "Log in with the old password",
        "POST /v1/sessions",
        401,
        body={"email": FORGETFUL, "password": PASSWORD},
        holds={"it is not valid any more": "body.code === 'wrong_credentials'"},
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
    Step("Use the access token after it", "GET /v1/customers/me", 401, "customer"),
    Step("Log in a third time", "POST /v1/sessions", 201, body={"email": EMAIL, "password": SECOND}, keeps=TOKENS),
    Step("Log out everywhere", "POST /v1/sessions/logout-everywhere", 204, "customer"),
    Step(
        "Read which tokens were revoked",
        "GET /.well-known/revoked-tokens.json",
        200,
        holds={"some were": "Object.keys(body.accounts).length > 0"},
    ),
    Step(
        "Log in for what follows", "POST /v1/sessions", 201, body={"email": EMAIL, "password": SECOND}, keeps=TOKENS
    ),
)
_FORGETFUL = {"email": FORGETFUL, "password": SECOND}
CODES: Sequence[Step] = (
    Step(
        "Begin to use one-time codes",
        "POST /v1/totp/enrolments",
        201,
        body=_FORGETFUL,
        holds={"an app can read them": "body.uri.startsWith('otpauth://totp/')"},
    ),
    Step(
        "Confirm them with a wrong code",
        "POST /v1/totp/confirmations",
        401,
        body=_FORGETFUL | {"code": "no code"},
        holds={"it is wrong": "body.code === 'wrong_code'"},
    ),
    Step(
        "Remove codes that were not confirmed",
        "POST /v1/totp/removals",
        409,
        body=_FORGETFUL | {"code": "no code"},
        holds={"there are none": "body.code === 'totp_not_enrolled'"},
    ),
)

PROFILE: Sequence[Step] = (
    Step(
        "Read one's account",
        "GET /v1/customers/me",
        200,
        "customer",
        response_headers=("ETag",),
        keeps={"customer_id": "body.id"},
        holds={"it is a customer": "body.role === 'customer'"},
    ),
    Step(
        "Change one's profile",
        "PATCH /v1/customers/me",
        200,
        "customer",
        {"locale": "de"},
        headers=TAG,
        response_headers=("ETag",),
    ),
    Step(
        "Unsubscribe with a token that no mail has",
        "POST /v1/unsubscriptions",
        409,
        body={"token": "x" * 65},
        holds={"it says so": "body.code === 'link_invalid'"},
    ),
    Step(
        "Add an address",
        "POST /v1/customers/me/addresses",
        201,
        "customer",
        HOME | {"default_for": ["shipping", "billing"]},
        response_headers=("Location", "ETag"),
        keeps={"address_id": "body.id"},
    ),
    Step(
        "List one's addresses",
        "GET /v1/customers/me/addresses",
        200,
        "customer",
        holds={"one": "body.items.length === 1"},
    ),
    Step(
        "Read an address", "GET /v1/customers/me/addresses/{address_id}", 200, "customer", response_headers=("ETag",)
    ),
    Step(
        "Change an address",
        "PUT /v1/customers/me/addresses/{address_id}",
        200,
        "customer",
        HOME | {"city": "Bath", "default_for": ["shipping"]},
        headers=TAG,
        response_headers=("ETag",),
        holds={"the city has changed": "body.city === 'Bath'"},
    ),
    Step("Delete an address", "DELETE /v1/customers/me/addresses/{address_id}", 204, "customer", headers=TAG),
)

ADDRESS_REQUESTED: Sequence[Step] = (
    log_in("Log in as a customer whose address changes", "leaver", LEAVER, PASSWORD),
    Step(
        "Request another e-mail address",
        "POST /v1/customers/me/email-changes",
        202,
        "leaver",
        {"email": MOVED, "password": PASSWORD},
    ),
)
ADDRESS_MAILED: Sequence[Step] = link_of(
    "change-email", MOVED, "Please confirm your new email address", "confirms another address", "change_token"
)
ADDRESS_CHANGED: Sequence[Step] = (
    Step(
        "Confirm another e-mail address",
        "POST /v1/email-change-confirmations",
        204,
        body={"token": "{{change_token}}"},
    ),
    Step("Use the access token from before", "GET /v1/customers/me", 401, "leaver"),
    log_in("Log in with the other address", "leaver", MOVED, PASSWORD),
)
ADDRESS_WARNED: Sequence[Step] = link_of(
    *("revert-email-change", LEAVER, "The email address of your account has been changed"),
    *("can revert that", "revert_token"),
)
ADDRESS_REVERTED: Sequence[Step] = (
    Step(
        "Revert the change",
        "POST /v1/email-change-reversals",
        204,
        body={"token": "{{revert_token}}", "new_password": SECOND},
    ),
    Step(
        "Log in with the removed address",
        "POST /v1/sessions",
        401,
        body={"email": MOVED, "password": PASSWORD},
        holds={"as if there were no account": "body.code === 'wrong_credentials'"},
    ),
)

LEAVING: Sequence[Step] = (
    Step(
        "Export one's data",
        "GET /v1/customers/me/export",
        200,
        "customer",
        response_headers=("Content-Disposition",),
        holds={
            "it is one's own": "body.account.id === pm.collectionVariables.get('customer_id')",
            "it has the order": "body.orders.some((one) => one.id === pm.collectionVariables.get('order_id'))",
            "and all that happened to it": "body.orders.every((one) => one.timeline[0].type === 'order.placed')",
            "and the mails": "body.notifications.some((mail) => mail.template === 'receipt')",
        },
    ),
    Step(
        "Deactivate one's account",
        "POST /v1/customers/me/deactivate",
        200,
        "customer",
        holds={"it is deactivated": "body.state === 'deactivated'"},
    ),
    Step(
        "Log in to reactivate it", "POST /v1/sessions", 201, body={"email": EMAIL, "password": SECOND}, keeps=TOKENS
    ),
    Step(
        "Reactivate one's account",
        "POST /v1/customers/me/reactivate",
        200,
        "customer",
        holds={"it is active": "body.state === 'active'"},
    ),
    Step(
        "Search customers",
        "GET /v1/customers",
        200,
        "staff",
        query="q={{run}}",
        holds={"found": "body.items.length === 4"},
    ),
    Step("Read a customer", "GET /v1/customers/{customer_id}", 200, "staff", response_headers=("ETag",)),
    Step("Deactivate a customer", "POST /v1/customers/{customer_id}/deactivate", 200, "staff"),
    Step("Reactivate a customer", "POST /v1/customers/{customer_id}/reactivate", 200, "staff"),
    log_in("Log in as a customer to erase", "leaver", LEAVER, SECOND),
    Step(
        "Request one's erasure",
        "POST /v1/erasures",
        202,
        "leaver",
        {"password": SECOND},
        response_headers=("Location",),
        keeps={"erasure_id": "body.id"},
    ),
    Step("Follow the erasure", "GET /v1/erasures/{erasure_id}", 200, until="body.state === 'done'"),
)
