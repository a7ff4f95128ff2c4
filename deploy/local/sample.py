"""The sample order: what a client does, through the public REST API and nothing else.

A customer registers and logs in; staff adds a product with stock; the customer orders, follows the order's
timeline to its end, and the receipt is read as it arrived by SMTP.
"""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.local.errors import SampleFailed, first_line

PATIENCE = 60.0
"""Seconds for the order to end and the receipt to arrive."""
ENDED = {"CONFIRMED", "REJECTED", "CANCELLED"}
ADDRESS = {
    "name": "Ada Example",
    "street": "Lindenstraße 5",
    "city": "Berlin",
    "postal_code": "10969",
    "country": "DE",
}


@dataclass(frozen=True)
class Person:
    """An account to log in with."""

    email: str
    password: str


@dataclass(frozen=True)
class Sample:
    """What came out of it."""

    customer: Person
    order: str
    lines: list[dict[str, Any]]
    timeline: dict[str, Any]
    receipt: str | None
    """Its plain text; None if the mail went to somebody else's server."""


def place_sample_order(rest: Mapping[str, str], staff: Person, sink: str | None) -> Sample:
    """Do it all; raise ``SampleFailed`` saying at which step it went wrong.

    ``rest`` has the base URL of each service, ``sink`` that of the mail sink's page.
    """
    mark = secrets.token_hex(3)
    customer = Person(f"ada-{mark}@example.com", secrets.token_urlsafe(12))
    lines = [{"sku": f"MUG-{mark.upper()}", "quantity": 2}]
    with httpx.Client(timeout=30, trust_env=False) as client:
        _call(client, "POST", f"{rest['customer']}/v1/customers", 202, _as_json(customer) | {"name": ADDRESS["name"]})
        buyer = _log_in(client, rest["customer"], customer)
        _stock_up(client, rest["product"], _log_in(client, rest["customer"], staff), lines[0]["sku"])
        order = _order(client, rest["order"], buyer, lines)
        timeline = _follow(client, f"{rest['order']}/v1/orders/{order}/timeline", buyer)
        receipt = _receipt(client, sink, customer.email, order) if sink else None
    return Sample(customer, order, lines, timeline, receipt)


def _stock_up(client: httpx.Client, product: str, token: str, sku: object) -> None:
    price = {"amount": 1250, "currency": "EUR"}
    mug = {"name": "Enamel mug", "variants": [{"sku": sku, "price": price}]}
    _call(client, "POST", f"{product}/v1/products", 201, mug, token)
    delivery = {"delta": 10, "reason": "delivery"}
    _call(client, "POST", f"{product}/v1/stock/{sku}/adjustments", 201, delivery, token)


def _order(client: httpx.Client, order: str, token: str, lines: list[dict[str, Any]]) -> str:
    body = {"lines": lines, "shipping_address": ADDRESS}
    key = {"Idempotency-Key": secrets.token_hex(16)}
    return str(_call(client, "POST", f"{order}/v1/orders", 202, body, token, key)["id"])


def _log_in(client: httpx.Client, customer: str, person: Person) -> str:
    return str(_call(client, "POST", f"{customer}/v1/sessions", 201, _as_json(person))["access_token"])


def _follow(client: httpx.Client, url: str, token: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while True:
        timeline: dict[str, Any] = _call(client, "GET", url, 200, token=token)
        mailed = any(entry["type"] == "notification.mail_sent" for entry in timeline["entries"])
        if timeline["state"] in ENDED and mailed:
            return timeline
        if time.monotonic() > deadline:
            types = [entry["type"] for entry in timeline["entries"]]
            raise SampleFailed(f"the order is {timeline['state']} after {PATIENCE:g} s, its timeline has {types}")
        time.sleep(0.1)


def _receipt(client: httpx.Client, sink: str, to: str, order: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for listed in _call(client, "GET", f"{sink}/api/messages?to={to}", 200):
            message = _call(client, "GET", f"{sink}/api/messages/{listed['id']}", 200)
            if order in message["text"] + message["html"]:
                head = "".join(f"{name}: {message['headers'].get(name, '')}\n" for name in ("From", "To", "Subject"))
                return head + "\n" + str(message["text"]).strip()
        time.sleep(0.1)
    raise SampleFailed(f"the timeline says that the receipt was sent, but {sink} has no mail to {to} about the order")


def _call(
    client: httpx.Client,
    method: str,
    url: str,
    status: int,
    body: object = None,
    token: str = "",
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Make one request and return its JSON; raise ``SampleFailed`` on any other status."""
    sent = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        answer = client.request(method, url, json=body, headers=sent)
    except httpx.HTTPError as error:
        raise SampleFailed(f"{method} {url} got no answer: {first_line(error)}") from error
    if answer.status_code != status:
        raise SampleFailed(f"{method} {url} answered {answer.status_code}, not {status}", answer.text[:2000])
    return answer.json()


def _as_json(person: Person) -> dict[str, str]:
    return {"email": person.email, "password": person.password}
