"""An export of the customer service is the same as what each service tells by itself, and as its OpenAPI shows."""

from typing import Any

from tests.contracts.apps import described
from tests.contracts.shop import Belongings, Shop

PARTS = {"orders": "order", "notifications": "notifier"}


async def test_an_export_has_all_that_the_services_tell_its_customer(shop: Shop, belongings: Belongings) -> None:
    owner = belongings.owner
    told = (await shop.ask("customer", "GET", "/v1/customers/me/export", owner.headers)).json()
    for part, service in PARTS.items():
        page = (await shop.ask(service, "GET", f"/v1/exports/{part}?limit=100", owner.headers)).json()
        assert told[part] == page["items"] != []
    assert told["account"]["id"] == str(owner.id)


async def test_what_is_passed_on_looks_as_it_is_shown(shop: Shop, belongings: Belongings) -> None:
    shown: dict[str, Any] = described()["customer"]["components"]["schemas"]["ExportOut"]["properties"]
    told = (await shop.ask("customer", "GET", "/v1/customers/me/export", belongings.owner.headers)).json()
    for part in PARTS:
        assert _shape(shown[part]["examples"][0][0]) <= _shape(told[part][0])


def _shape(one: dict[str, Any]) -> set[str]:
    """The names of what is in it."""
    return {*one, *(f"timeline/{name}" for name in one.get("timeline", [{}])[0])}
