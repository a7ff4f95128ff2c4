"""Bodies of exports."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from chassis.http.bodies import ResponseBody
from chassis.http.examples import ID, MOMENT
from chassis.link_tokens import Purpose
from customer_svc.accounts.domain import Account
from customer_svc.accounts.dto import AccountOut, Moment, account_out
from customer_svc.links.domain import Link
from customer_svc.profiles.dto import AddressOut, address_out
from customer_svc.sessions.domain import Session
from customer_svc.throttling.domain import KnownNetwork

# The examples have no null fields: FastAPI removes those, and the chassis cannot restore them without a schema.
ORDER = {
    "id": ID,
    "state": "CONFIRMED",
    "lines": [
        {"sku": "MUG-BLUE", "quantity": 2, "name": "Blue mug", "unit_price": {"amount": 1250, "currency": "EUR"}}
    ],
    "total": {"amount": 2500, "currency": "EUR"},
    "shipping_address": {
        "name": "Ada Lovelace",
        "street": "12 St James's Square",
        "line2": "Flat 3",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
        "phone": "+442079460000",
    },
    "shortages": [],
    "revision": 1,
    "shipments": [],
    "returns": [],
    "version": 2,
    "placed_at": MOMENT,
    "changed_at": MOMENT,
    "timeline": [{"at": MOMENT, "type": "order.placed", "detail": {"state": "PENDING"}}],
}
"""An order as order_svc returns it."""
TEXT = f"""\
Hello Ada Lovelace,

Thank you for your order 00009395c3f3. We have reserved all items for you.

Order date: January 2, 2026

  2 x Blue mug (MUG-BLUE), €12.50 each: €25.00
  Total: €25.00

Shipping address
  Ada Lovelace
  12 St James's Square
  Flat 3
  London
  SW1Y 4JH
  United Kingdom

--\x20
Shopstream
You are receiving this email because you placed order {ID}.
"""
NOTIFICATION = {
    "id": ID,
    "template": "receipt",
    "customer_id": ID,
    "order_id": ID,
    "state": "sent",
    "attempts": 1,
    "doubts": 0,
    "changed_at": MOMENT,
    "subject": "Your order 00009395c3f3 is confirmed",
    "text": TEXT,
}
"""A mail as notifier_svc returns it."""


class ExportedSession(ResponseBody):
    """A session, without its secrets."""

    began_at: Moment
    ends_at: Moment
    ended_at: Moment | None


class ExportedNetwork(ResponseBody):
    """A network that the customer logged in from: attempts of strangers do not hold up log-ins from there."""

    network: Annotated[str, Field(examples=["192.0.2.1", "2001:db8::/64"])]
    known_until: Moment


class ExportedLink(ResponseBody):
    """A link in a mail, without its secret."""

    purpose: Annotated[Purpose, Field(examples=["change"])]
    email: Annotated[
        str | None,
        Field(description="the address that it changes yours to, or back to", examples=["ada@example.com"]),
    ]
    expires_at: Moment
    used_at: Moment | None


class OwnExportOut(ResponseBody):
    """Everything that customer_svc stores about the customer."""

    exported_at: Moment
    account: AccountOut
    verified_at: Moment | None
    changed_at: Moment
    addresses: list[AddressOut]
    sessions: list[ExportedSession]
    known_networks: list[ExportedNetwork]
    links: list[ExportedLink]


class ExportOut(OwnExportOut):
    """Everything that all services store about the customer.

    Orders and mails are included as the services return them at `GET /v1/exports/orders` (order service) and
    `GET /v1/exports/notifications` (notification service).
    """

    orders: Annotated[
        list[dict[str, Any]],
        Field(description="all orders, newest first, each with its timeline", examples=[[ORDER]]),
    ]
    notifications: Annotated[
        list[dict[str, Any]],
        Field(description="all mails, newest first, each with its text", examples=[[NOTIFICATION]]),
    ]


def own_export_out(
    account: Account, sessions: list[Session], networks: list[KnownNetwork], links: list[Link], now: datetime
) -> OwnExportOut:
    """The body of an export, as far as customer_svc has the data."""
    return OwnExportOut(
        exported_at=now,
        account=account_out(account),
        verified_at=account.verified_at,
        changed_at=account.changed_at,
        addresses=[address_out(address) for address in account.addresses],
        sessions=[ExportedSession(began_at=s.began_at, ends_at=s.ends_at, ended_at=s.ended_at) for s in sessions],
        known_networks=[ExportedNetwork(network=n.network, known_until=n.known_until) for n in networks],
        links=[
            ExportedLink(purpose=o.purpose, email=o.email, expires_at=o.expires_at, used_at=o.used_at) for o in links
        ],
    )
