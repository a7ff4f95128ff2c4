"""A mail with each template, as its event causes it: for tests, and for the pictures in the documentation."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from notifier_svc.mails.domain import Mail, compose
from notifier_svc.rendering.domain import Template
from notifier_svc.replicas.domain import Customer
from schemas import STAFF, Address, Money, PricedLine, Shortage

NOW = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)
CUSTOMER = UUID("019b7c61-0000-7000-8000-000000000001")
ORDER = UUID("019b7c61-0000-7000-8000-0000000abcde")
LINK = {"link_id": str(CUSTOMER), "expires_at": "2026-01-03T12:30:00+00:00"}

ADDRESS = Address(
    name="Ada Lovelace", street="12 St James's Square", city="London", postal_code="SW1Y 4JH", country="GB"
).model_dump(mode="json")

OFFICE = Address(
    name="Ada Lovelace",
    company="Rechenwerk GmbH",
    street="Lindenstraße 5",
    line2="2. OG",
    city="Berlin",
    postal_code="10969",
    country="DE",
).model_dump(mode="json")


def euros(cents: int) -> dict[str, Any]:
    return Money(amount=cents, currency="EUR").model_dump(mode="json")


def line(sku: str, quantity: int, name: str, cents: int) -> dict[str, Any]:
    price = Money(amount=cents, currency="EUR")
    return PricedLine(sku=sku, quantity=quantity, name=name, unit_price=price).model_dump(mode="json")


MUGS, POT = (
    line("MUG-BLUE", 2, "Enamel mug, blue", 1250),
    line("POT-1", 1, "Teapot with a bamboo handle, 1.2 l", 123900),
)
SHORT = Shortage(sku="MUG-BLUE", requested=2, available=1, reason="short").model_dump(mode="json")
GONE = Shortage(sku="POT-1", requested=1, available=0, reason="discontinued").model_dump(mode="json")

ORDER_CONTEXTS: dict[Template, dict[str, Any]] = {
    "receipt": {
        **{"lines": [MUGS, POT], "total": euros(126400), "placed_at": "2026-01-01T12:29:58Z"},
        **{"shipping_address": ADDRESS, "billing_address": OFFICE},
    },
    "rejected": {"lines": [MUGS, POT], "shortages": [SHORT, GONE]},
    "cancelled": {"reason": "staff", "note": "The last teapot broke when we packed it."},
    "order_amended": {"revision": 2, "lines": [MUGS], "total": euros(2500), "shipping_address": ADDRESS},
    "amendment_refused": {"revision": 2, "lines": [MUGS, POT], "shortages": [SHORT, GONE]},
    "shipped": {
        **{"shipment_id": str(ORDER), "carrier": "DHL", "tracking_number": "00340434161094042557"},
        **{"lines": [MUGS], "complete": False, "shipping_address": ADDRESS},
    },
    "remainder_cancelled": {
        **{"reason": "staff", "note": "The last teapot broke when we packed it.", "revision": 1},
        **{"lines": [POT], "amount": euros(123900), "total": euros(2500)},
    },
    "tracking_corrected": {
        **{"shipment_id": str(ORDER), "correction_id": str(CUSTOMER), "lines": [MUGS]},
        **{"carrier": "DHL", "tracking_number": "00340434161094042558"},
    },
    "parcel_failed": {
        **{"shipment_id": str(ORDER), "carrier": "DHL", "tracking_number": "00340434161094042557"},
        **{"reason": "lost", "lines": [MUGS], "refund": euros(2500)},
    },
    "delivered": {},
    "return_requested": {"request_id": str(ORDER), "lines": [MUGS], "reason": "One of them is chipped."},
    "return_approved": {
        **{"request_id": str(ORDER), "lines": [MUGS]},
        "note": "Please use the label in the parcel.",
    },
    "return_declined": {
        **{"request_id": str(ORDER), "lines": [MUGS]},
        "note": "They were delivered more than a year ago.",
    },
    "return_received": {
        **{"return_id": str(ORDER), "lines": [MUGS], "refund": euros(2500)},
        "reason": "One of them is chipped.",
    },
}
ACCOUNT_CONTEXTS: dict[Template, dict[str, Any]] = {
    "welcome": {"link": {**LINK, "purpose": "verify"}},
    "verification": {"link": {**LINK, "purpose": "verify"}},
    "registration_repeated": {},
    "password_reset": {"link": {**LINK, "purpose": "reset"}},
    "password_changed": {"how": "reset"},
    "email_change": {"link": {**LINK, "purpose": "change"}, "taken": False},
    "email_changed": {"link": {**LINK, "purpose": "revert"}},
    "email_change_reverted": {},
    "account_erased": {"locale": None, "expires_at": "2026-01-01T13:30:00+00:00"},
}
LOW_STOCK = {
    **{"sku": "MUG-BLUE", "available": 3, "threshold": 5, "on_hand": 5, "reserved": 2},
    "product_name": "Enamel mug",
}


def mail(template: Template, **context: Any) -> Mail:
    """The sample of a template; ``context`` replaces values."""
    if template == "low_stock":
        return compose(template, STAFF, "x", None, LOW_STOCK | context, NOW)
    if template in ACCOUNT_CONTEXTS:
        return compose(template, CUSTOMER, "x", None, ACCOUNT_CONTEXTS[template] | context, NOW)
    order = {"order_id": str(ORDER), "customer_id": str(CUSTOMER)}
    return compose(template, CUSTOMER, "x", ORDER, order | ORDER_CONTEXTS[template] | context, NOW)


def customer(
    locale: str | None = "en",
    name: str = "Ada Lovelace",
    email: str = "ada@example.com",
    order_updates: bool = True,
    time_zone: str | None = None,
) -> Customer:
    return Customer(CUSTOMER, email, name, 1, locale, order_updates, time_zone)
