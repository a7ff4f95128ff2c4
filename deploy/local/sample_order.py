"""The sample order: what a client does, through the public REST API and nothing else.

A customer registers, uses the link in the mail and logs in, staff add a product with stock, the customer orders and
follows the order's timeline to its end. The receipt is read as it arrived by SMTP.

That is done once for each SHOP_HOME. A later run logs the same customer in, and reads order and receipt again.
"""

import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from deploy.local.errors import SampleOrderFailed, first_line
from deploy.local.files import write_atomically

TIMEOUT_SECONDS = 60.0
"""For the order to reach its final state, and again for each mail to arrive."""
STOCK = 1000
"""Pieces of the sample product: enough for many more orders of it."""
FINAL_STATES = {"CONFIRMED", "REJECTED", "CANCELLED"}
ADDRESS = {
    "name": "Ada Example",
    "street": "Lindenstraße 5",
    "line2": "Hinterhaus, 2. OG",
    "city": "Berlin",
    "postal_code": "10969",
    "country": "DE",
    "phone": "+4930901820",
}


@dataclass(frozen=True)
class Credentials:
    """What an account logs in with."""

    email: str
    password: str


@dataclass(frozen=True)
class SampleOrder:
    """An order that went through."""

    customer: Credentials
    order_id: str
    lines: list[dict[str, Any]]
    timeline: dict[str, Any]
    receipt: str
    """Its plain text."""
    is_new: bool = True
    """Whether this run has placed it, and not one before."""


def show_or_place(
    kept: Path, rest: Mapping[str, str], staff: Credentials, mail_page: str, *, again: bool
) -> SampleOrder:
    """Read the sample order that ``kept`` names, or place one and keep it there; ``again`` always places another.

    If the order cannot be read any more, one is placed: its databases may belong to somebody else, and be empty now.
    """
    order = None if again else _read_kept(kept, rest, mail_page)
    if order is None:
        order = place_sample_order(rest, staff, mail_page)
        # With the password of its customer, so that the commands for the next order still work.
        account, names = asdict(order.customer), {"order_id": order.order_id, "lines": order.lines}
        write_atomically(kept, json.dumps({"customer": account, **names}, indent=2) + "\n")
    return order


def _read_kept(kept: Path, rest: Mapping[str, str], mail_page: str) -> SampleOrder | None:
    try:
        content = json.loads(kept.read_text(encoding="utf-8"))
        order = SampleOrder(
            Credentials(**content["customer"]), content["order_id"], content["lines"], {}, "", is_new=False
        )
    except (OSError, ValueError, LookupError, TypeError):
        return None
    with httpx.Client(timeout=30, trust_env=False) as client:
        try:
            token = _log_in(client, rest["customer"], order.customer)
            timeline = _call(client, "GET", f"{rest['order']}/v1/orders/{order.order_id}/timeline", 200, token=token)
            message = _find_mail(client, mail_page, order.customer.email, order.order_id)
        except SampleOrderFailed:
            return None
    return replace(order, timeline=timeline, receipt=_as_text(message)) if message else None


def place_sample_order(
    rest: Mapping[str, str], staff: Credentials, mail_page: str, address: Mapping[str, str] = ADDRESS
) -> SampleOrder:
    """Place it and wait for its receipt; raise ``SampleOrderFailed``, naming the step that failed.

    ``rest`` has the base URL of each service, ``mail_page`` is that of the mail sink, or of Mailpit.
    """
    suffix = secrets.token_hex(3)
    customer = Credentials(f"ada-{suffix}@example.com", secrets.token_urlsafe(12))
    lines = [{"sku": f"MUG-{suffix.upper()}", "quantity": 2}]
    with httpx.Client(timeout=30, trust_env=False) as client:
        registration = _as_json(customer) | {"name": ADDRESS["name"]}
        _call(client, "POST", f"{rest['customer']}/v1/customers", 202, registration)
        _verify(client, rest["customer"], mail_page, customer.email)
        token = _log_in(client, rest["customer"], customer)
        _add_product(client, rest["product"], _log_in(client, rest["customer"], staff), lines[0]["sku"])
        order_id = _place_order(client, rest["order"], token, lines, address)
        timeline = _follow(client, f"{rest['order']}/v1/orders/{order_id}/timeline", token)
        receipt = _as_text(_mail(client, mail_page, customer.email, order_id))
    return SampleOrder(customer, order_id, lines, timeline, receipt)


def _verify(client: httpx.Client, base_url: str, mail_page: str, email: str) -> None:
    """Use the link in the mail that a new customer gets."""
    message = _mail(client, mail_page, email, "verify-email#")
    found = re.search(r"verify-email#([\w-]+)", str(message["Text"]))
    token = found.group(1) if found else ""
    _call(client, "POST", f"{base_url}/v1/email-verifications", 204, {"token": token})


def _add_product(client: httpx.Client, base_url: str, token: str, sku: object) -> None:
    price = {"amount": 1250, "currency": "EUR"}
    mug = {"name": "Enamel mug", "variants": [{"sku": sku, "price": price}]}
    _call(client, "POST", f"{base_url}/v1/products", 201, mug, token)
    delivery = {"delta": STOCK, "reason": "delivery"}
    _call(client, "POST", f"{base_url}/v1/stock/{sku}/adjustments", 201, delivery, token)


def _place_order(
    client: httpx.Client, base_url: str, token: str, lines: list[dict[str, Any]], address: Mapping[str, str]
) -> str:
    body = {"lines": lines, "shipping_address": address}
    key = {"Idempotency-Key": secrets.token_hex(16)}
    return str(_call(client, "POST", f"{base_url}/v1/orders", 202, body, token, key)["id"])


def _log_in(client: httpx.Client, base_url: str, account: Credentials) -> str:
    return str(_call(client, "POST", f"{base_url}/v1/sessions", 201, _as_json(account))["access_token"])


def _follow(client: httpx.Client, url: str, token: str) -> dict[str, Any]:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        timeline: dict[str, Any] = _call(client, "GET", url, 200, token=token)
        mailed = any(entry["type"] == "notification.mail_sent" for entry in timeline["entries"])
        if timeline["state"] in FINAL_STATES and mailed:
            return timeline
        if time.monotonic() > deadline:
            types = [entry["type"] for entry in timeline["entries"]]
            raise SampleOrderFailed(
                f"after {TIMEOUT_SECONDS:g} s the order is {timeline['state']}, and its timeline has {types}"
            )
        time.sleep(0.1)


def _as_text(message: Mapping[str, Any]) -> str:
    sender, to = message["From"]["Address"], ", ".join(one["Address"] for one in message["To"])
    return f"From: {sender}\nTo: {to}\nSubject: {message['Subject']}\n\n{str(message['Text']).strip()}"


def _mail(client: httpx.Client, mail_page: str, to: str, about: str) -> dict[str, Any]:
    """Wait for a mail to an address that contains a text."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if message := _find_mail(client, mail_page, to, about):
            return message
        time.sleep(0.1)
    raise SampleOrderFailed(f"{mail_page} has no mail to {to} with {about}")


def _find_mail(client: httpx.Client, mail_page: str, to: str, about: str) -> dict[str, Any] | None:
    """Return the first of these mails: about an order it is the receipt."""
    for listed in reversed(_call(client, "GET", f"{mail_page}/api/v1/search?query=to:{to}", 200)["messages"]):
        message: dict[str, Any] = _call(client, "GET", f"{mail_page}/api/v1/message/{listed['ID']}", 200)
        if about in message["Text"] + message["HTML"]:
            return message
    return None


def _call(
    client: httpx.Client,
    method: str,
    url: str,
    status: int,
    body: object = None,
    token: str = "",
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Make one request and return its JSON, if there is any; raise ``SampleOrderFailed`` on any other status."""
    all_headers = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        response = client.request(method, url, json=body, headers=all_headers)
    except httpx.HTTPError as error:
        raise SampleOrderFailed(f"{method} {url} got no response: {first_line(error)}") from error
    if response.status_code != status:
        message = f"{method} {url} returned status {response.status_code}, not {status}"
        raise SampleOrderFailed(message, response.text[:2000])
    return response.json() if response.content else None


def _as_json(account: Credentials) -> dict[str, str]:
    return {"email": account.email, "password": account.password}
