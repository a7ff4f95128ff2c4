"""An export of customer_svc has the data of the other services, in the documented shape."""

from typing import Any

from tests.contracts.apps import described
from tests.contracts.shop import Belongings, Shop

PARTS = {"orders": "order", "notifications": "notifier"}


async def test_an_export_has_all_data_of_the_services(shop: Shop, belongings: Belongings) -> None:
    owner = belongings.owner
    export = (await shop.request("customer", "GET", "/v1/customers/me/export", owner.headers)).json()
    for part, service in PARTS.items():
        page = (await shop.request(service, "GET", f"/v1/exports/{part}?limit=100", owner.headers)).json()
        assert export[part] == page["items"] != []
    assert export["account"]["id"] == str(owner.id)


async def test_exported_data_have_the_documented_fields(shop: Shop, belongings: Belongings) -> None:
    documented: dict[str, Any] = described()["customer"]["components"]["schemas"]["ExportOut"]["properties"]
    export = (await shop.request("customer", "GET", "/v1/customers/me/export", belongings.owner.headers)).json()
    for part in PARTS:
        assert _shape(documented[part]["examples"][0][0]) <= _shape(export[part][0])


def _shape(one: dict[str, Any]) -> set[str]:
    """The names of the fields."""
    return {*one, *(f"timeline/{name}" for name in one.get("timeline", [{}])[0])}
