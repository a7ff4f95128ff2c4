"""Returns that customers request, and what staff take back, over the REST API."""

from typing import Any
from uuid import UUID

import httpx
from uuid_utils.compat import uuid7

from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer
from schemas import OrderReturned, ReturnApproved, ReturnDeclined, ReturnRequested
from tests.order_svc.rest import API, Headers, confirmed, lines, place
from tests.order_svc.scenarios import Commit, product
from tests.outbox import events
from tests.responses import assert_problem

STAFF = bearer(role="staff")
PARCEL = {"carrier": "DHL", "tracking_number": "4711"}


async def act(api: API, one: dict[str, Any], action: str, body: Any = None, who: Headers = STAFF) -> httpx.Response:
    sent = {**who, "If-Match": f'"{one["version"]}"'}
    return await api.post(f"/v1/orders/{one['id']}/{action}", json=body, headers=sent)


async def done(api: API, one: dict[str, Any], action: str, body: Any = None, who: Headers = STAFF) -> dict[str, Any]:
    response = await act(api, one, action, body, who)
    assert response.status_code in (200, 201), response.text
    after: dict[str, Any] = response.json()
    return after


async def delivered(api: API, database: Postgres, sku: str, customer: Headers, quantity: int = 3) -> dict[str, Any]:
    one = await confirmed(api, database, sku, customer, quantity)
    return await done(api, await done(api, one, "shipments", PARCEL), "deliver")


def request(one: dict[str, Any], nth: int = 0) -> str:
    return f"return-requests/{one['return_requests'][nth]['id']}"


async def test_a_return_is_requested_approved_and_received(api: API, shared: Postgres, commit: Commit) -> None:
    customer, sku = bearer(), await product(commit, 1000)
    one = await delivered(api, shared, sku, customer)
    one = await done(api, one, "return-requests", {**lines(**{sku: 2}), "reason": "Too small."}, customer)
    [requested] = one["return_requests"]
    assert (requested["status"], requested["reason"], requested["lines"][0]["quantity"]) == (
        *("requested", "Too small."),
        2,
    )
    early = await act(api, one, "returns", {**lines(**{sku: 2}), "request_id": requested["id"]})
    assert_problem(early, 409, "transition_not_allowed")
    one = await done(api, one, f"{request(one)}/approve", {"note": "Use the label."})
    assert (one["return_requests"][0]["status"], one["return_requests"][0]["note"]) == ("approved", "Use the label.")
    # One of the two is broken, and one came that nobody requested.
    good, broken = {"sku": sku, "quantity": 2}, {"sku": sku, "quantity": 1, "disposition": "scrap"}
    one = await done(api, one, "returns", {"lines": [good, broken], "request_id": requested["id"]})
    [back] = one["returns"]
    assert (back["lines"][0]["quantity"], back["scrapped"], back["reason"]) == (
        *(3, [{"sku": sku, "quantity": 1}]),
        "Too small.",
    )
    assert (one["state"], one["return_requests"][0]["status"]) == ("DELIVERED", "received")
    asked, approved, returned = (await events(shared, one["id"]))[-3:]
    assert isinstance(asked, ReturnRequested)
    assert isinstance(approved, ReturnApproved)
    assert isinstance(returned, OrderReturned)
    assert (asked.request_id, approved.request_id, returned.request_id) == (UUID(requested["id"]),) * 3
    assert (approved.note, returned.refund.amount) == ("Use the label.", 3000)
    assert [(line.sku, line.quantity) for line in returned.scrapped] == [(sku, 1)]
    again = await act(api, one, f"{request(one)}/approve")
    assert_problem(again, 409, "transition_not_allowed")


async def test_a_declined_return_can_be_requested_again(api: API, shared: Postgres, commit: Commit) -> None:
    customer, sku = bearer(), await product(commit)
    one = await delivered(api, shared, sku, customer, 1)
    one = await done(api, one, "return-requests", lines(**{sku: 1}), customer)
    one = await done(api, one, f"{request(one)}/decline", {"note": "It was used."})
    assert isinstance((await events(shared, one["id"]))[-1], ReturnDeclined)
    one = await done(api, one, "return-requests", lines(**{sku: 1}), customer)
    one = await done(api, one, f"{request(one, 1)}/approve")
    one = await done(api, one, f"{request(one, 1)}/decline", {"note": "It did not come."})
    assert [each["status"] for each in one["return_requests"]] == ["declined", "declined"]


async def test_no_piece_is_requested_twice_and_only_what_arrived(api: API, shared: Postgres, commit: Commit) -> None:
    customer, sku = bearer(), await product(commit)
    early = await place(api, sku, 2, customer)
    assert_problem(
        await act(api, early, "return-requests", lines(**{sku: 1}), customer), 409, "transition_not_allowed"
    )
    one = await delivered(api, shared, sku, customer, 3)
    one = await done(api, one, "return-requests", lines(**{sku: 2}), customer)
    too_much = await act(api, one, "return-requests", lines(**{sku: 2}), customer)
    assert assert_problem(too_much, 409, "quantity_exceeded")["left"] == {sku: 1}
    # Staff may take back what was not requested.
    one = await done(api, one, "returns", lines(**{sku: 3}))
    assert one["return_requests"][0]["status"] == "requested"
    # Then there is nothing left that the customer could send.
    back_already = await act(api, one, f"{request(one)}/approve")
    assert assert_problem(back_already, 409, "quantity_exceeded")["left"] == {}


async def test_a_request_that_is_sent_again_is_not_another_one(api: API, shared: Postgres, commit: Commit) -> None:
    customer, sku = bearer(), await product(commit)
    one = await delivered(api, shared, sku, customer, 2)
    path, wish = f"/v1/orders/{one['id']}/return-requests", lines(**{sku: 1})
    assert_problem(await api.post(path, json=wish, headers=customer), 428, "precondition_required")
    await done(api, one, "return-requests", wish, customer)
    assert_problem(await act(api, one, "return-requests", wish, customer), 412, "precondition_failed")


async def test_customers_request_and_staff_answer(api: API, shared: Postgres, commit: Commit) -> None:
    customer, sku = bearer(), await product(commit)
    one = await delivered(api, shared, sku, customer)
    wish = lines(**{sku: 1})
    assert_problem(await act(api, one, "return-requests", wish, bearer()), 404, "order_not_found")
    assert_problem(await act(api, one, "return-requests", wish), 403, "forbidden")
    one = await done(api, one, "return-requests", wish, customer)
    for answer in ("approve", "decline"):
        assert_problem(await act(api, one, f"{request(one)}/{answer}", None, customer), 403, "forbidden")
        unknown = await act(api, one, f"return-requests/{uuid7()}/{answer}")
        assert_problem(unknown, 404, "return_request_not_found")


async def test_staff_find_the_requests_that_wait_for_an_answer(api: API, shared: Postgres, commit: Commit) -> None:
    customer, sku = bearer(), await product(commit)
    answered = await delivered(api, shared, sku, customer)
    answered = await done(api, answered, "return-requests", lines(**{sku: 1}), customer)
    await done(api, answered, f"{request(answered)}/approve")
    waiting = await delivered(api, shared, sku, customer)
    waiting = await done(api, waiting, "return-requests", lines(**{sku: 1}), customer)

    async def found(query: str) -> list[str]:
        response = await api.get(f"/v1/orders?q={sku}&{query}", headers=STAFF)
        return [order["id"] for order in response.json()["items"]]

    assert await found("return_request=requested") == [waiting["id"]]
    assert await found("return_request=requested&return_request=approved") == [waiting["id"], answered["id"]]
    assert await found("return_request=received") == []
