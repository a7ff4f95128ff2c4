"""Orders to addresses all over the world."""

from typing import Any

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from order_svc.orders.store import orders
from schemas import OrderPlaced
from schemas.values import NO_POSTAL_CODE
from tests.addresses import shown
from tests.order_svc.rest import ADDRESS, API, amend, body, place, read
from tests.order_svc.scenarios import Commit, product
from tests.outbox import events
from tests.responses import assert_problem

HONG_KONG = {"name": "Ada", "street": "1 Nathan Rd", "city": "Tsim Sha Tsui", "region": "Kowloon", "country": "HK"}
DUBAI = {"name": "Ada", "street": "Villa 4, Al Wasl Rd", "city": "Dubai", "region": "Dubai", "country": "AE"}
OFFICE = ADDRESS | {"company": "Engines Ltd", "line2": "Flat 3", "phone": "+442079460000"}


async def send(api: API, sku: str, address: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = await api.post(
        "/v1/orders", json=body(**{sku: 1}) | {"shipping_address": address} | more, headers=bearer()
    )
    made: dict[str, Any] = response.json()
    return made | {"status": response.status_code}


@pytest.mark.parametrize("address", [HONG_KONG, DUBAI], ids=["Hong Kong", "Dubai"])
async def test_a_country_without_postal_codes_is_ordered_to_without_one(
    api: API, shared: Postgres, commit: Commit, address: dict[str, Any]
) -> None:
    placed = await send(api, await product(commit), address)
    assert (placed["status"], placed["shipping_address"]) == (202, shown(address) | {"postal_code": None})
    [event] = await events(shared, placed["id"])
    assert isinstance(event, OrderPlaced)
    assert (event.shipping_address.postal_code, event.shipping_address.region) == (NO_POSTAL_CODE, address["region"])


async def test_every_field_of_an_address_is_stored_published_and_shown(
    api: API, shared: Postgres, commit: Commit
) -> None:
    placed = await send(api, await product(commit), OFFICE, billing_address=HONG_KONG)
    assert placed["shipping_address"] == shown(OFFICE)
    assert placed["billing_address"] == shown(HONG_KONG) | {"postal_code": None}
    [event] = await events(shared, placed["id"])
    assert isinstance(event, OrderPlaced)
    assert event.shipping_address.model_dump() == OFFICE
    assert event.billing_address is not None
    assert event.billing_address.region == "Kowloon"


@pytest.mark.parametrize("which", ["shipping_address", "billing_address"])
async def test_a_country_with_states_is_refused_without_one_at_that_field(
    api: API, commit: Commit, which: str
) -> None:
    address = {"name": "Ada", "street": "1 Main St", "city": "Springfield", "postal_code": "62701", "country": "US"}
    wanted = body(**{await product(commit): 1}) | {which: address}
    response = await api.post("/v1/orders", json=wanted, headers=bearer())
    [error] = assert_problem(response, 422, "malformed_request")["errors"]
    assert (error["where"], error["what"]) == (f"body/{which}/region", "An address in US needs a region (state)")
    wanted[which] = address | {"region": "IL"}
    assert (await api.post("/v1/orders", json=wanted, headers=bearer())).status_code == 202


async def test_an_amendment_needs_what_the_country_needs(api: API, commit: Commit) -> None:
    headers = bearer()
    placed = await place(api, await product(commit), headers=headers)
    incomplete = ADDRESS | {"postal_code": None}
    response = await amend(api, placed, headers, {"shipping_address": incomplete})
    [error] = assert_problem(response, 422, "malformed_request")["errors"]
    assert error["where"] == "body/shipping_address/postal_code"
    amended = await amend(api, placed, headers, {"shipping_address": OFFICE})
    assert amended.json()["amendment"]["shipping_address"] == shown(OFFICE)


async def test_an_order_that_was_stored_with_fewer_fields_is_read(api: API, shared: Postgres, commit: Commit) -> None:
    """Its country needs a state by now."""
    headers = bearer(customer := uuid7())
    placed = await place(api, await product(commit), headers=headers)
    old = {"name": "Ada", "street": "1 Main St", "city": "Springfield", "postal_code": "62701", "country": "US"}
    async with shared.reading() as connection:
        change = sa.update(orders).where(orders.c.customer_id == customer).values(shipping_address=old)
        await connection.execute(change)
    assert (await read(api, placed, headers))["shipping_address"] == shown(old)
