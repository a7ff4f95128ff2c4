"""The orders of an erased customer, in a real database: they stay, without personal data."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from chassis.http.preconditions import ANY
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, enveloped, record
from order_svc import SERVICE
from order_svc.amendments.commands import AmendOrder
from order_svc.erasure.commands import EraseCustomer
from order_svc.errors import AccountErased, TransitionNotAllowed
from order_svc.fulfilment.commands import CancelRemainder, ShipOrder
from order_svc.orders.commands import CancelOrder
from order_svc.orders.domain import Order, State
from order_svc.orders.dto import order_out
from order_svc.orders.lines import without_prices
from order_svc.orders.parts import Amendment, CancelledRemainder, Return, ReturnRequest, Shipment
from order_svc.orders.store import StoredResponse, idempotency_keys
from order_svc.returns.commands import RequestReturn, ReturnLines
from order_svc.returns.domain import ReturnedGoods
from order_svc.timeline.domain import TimelineEntry
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import (
    Address,
    CustomerDeactivated,
    CustomerErased,
    Envelope,
    Line,
    OrderCancelled,
    OrdersAnonymised,
    RemainderCancelled,
    StockReserved,
    answer_id,
)
from tests.addresses import shown
from tests.chassis.tally import stored_letters
from tests.order_svc.factories import ADDRESS
from tests.order_svc.rest import API
from tests.order_svc.scenarios import (
    Commit,
    consume,
    consumer,
    pending,
    read,
    reserved,
    timeline,
    waits_for_a_row,
)
from tests.outbox import events
from tests.responses import assert_problem
from tests.stack import eventually

ANONYMOUS = {"name": "-", "street": "-", "city": "-", "postal_code": "-", "country": "GB"}
MORE = {"company": "Engines Ltd", "line2": "Flat 3", "region": "Kent", "phone": "+442079460000"}
FULL = ADDRESS.model_copy(update=MORE)


@dataclass(frozen=True)
class Put:
    """Store an order, an entry or a response as it is."""

    order: Order
    entry: TimelineEntry | None = None
    response: StoredResponse | None = None

    def prefetch(self, uow: OrderUnitOfWork) -> None:
        uow.orders.prefetch(self.order.id)
        if self.response:
            uow.stored_responses.prefetch(self.response.id)

    def execute(self, uow: OrderUnitOfWork) -> None:
        uow.orders.set(self.order.id, self.order)
        if self.entry:
            uow.timeline.add(self.entry)
        if self.response:
            uow.stored_responses.set(self.response.id, self.response)


async def test_the_orders_stay_without_addresses(shared: Postgres, commit: Commit) -> None:
    order, other = await pending(commit), await pending(commit)
    await consume(shared, CustomerErased(customer_id=order.customer_id))
    kept = await read(shared, order)
    assert kept.shipping_address.model_dump() == ANONYMOUS
    assert (kept.customer_id, kept.lines, kept.total) == (order.customer_id, order.lines, order.total)
    assert (await read(shared, other)).shipping_address == ADDRESS


async def test_no_personal_data_stays_in_any_part_of_an_order(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    back = Return(uuid7(), (), order.total, "Too small for my hands.", order.placed_at)
    parcel = Shipment(uuid7(), "DHL", "4711", (), order.placed_at)
    full = replace(
        order,
        state="DELIVERED",
        version=2,
        shipping_address=FULL,
        billing_address=FULL,
        cancellation_note="Ada is moving house.",
        customer_notes="Ring twice.",
        amendment=Amendment(2, order.lines, order.total, FULL, FULL),
        shipments=(parcel, parcel),
        returns=(back, back),
        return_requests=(ReturnRequest(uuid7(), (), "Too small.", "approved", "To Ada.", *[order.placed_at] * 2),),
        cancelled_remainder=CancelledRemainder(order.lines, order.total, "customer", "Ada moves.", order.placed_at),
    )
    detail = {"state": "SHIPPED", "tracking_number": "4711"}
    await commit(Put(full, TimelineEntry(order.id, order.placed_at, "order.shipped", detail)))
    await consume(shared, CustomerErased(customer_id=order.customer_id))
    kept, anonymous = await read(shared, order), Address(**ANONYMOUS)
    assert kept.amendment is not None
    addresses = [kept.shipping_address, kept.billing_address]
    addresses += [kept.amendment.shipping_address, kept.amendment.billing_address]
    assert addresses == [anonymous] * 4
    assert (kept.cancellation_note, kept.customer_notes) == (None, None)
    assert kept.returns == (replace(back, reason=None),) * 2
    assert remainder_note(kept) is None
    assert [(request.reason, request.note) for request in kept.return_requests] == [(None, None)]
    assert kept.shipments == (replace(parcel, tracking_number="-"),) * 2
    entries = await timeline(shared, order.id)
    assert entries[1:] == [("order.shipped", {"state": "SHIPPED", "tracking_number": "-"})]
    assert kept.state == "DELIVERED", "an order that has ended or is shipped keeps its state"


async def test_stored_responses_are_anonymised(shared: Postgres, commit: Commit) -> None:
    order = replace(await pending(commit), shipping_address=FULL, billing_address=FULL)
    stored = StoredResponse(uuid7(), "fingerprint", order.id, order_out(order).model_dump_json())
    await commit(Put(order, response=stored))
    await consume(shared, CustomerErased(customer_id=order.customer_id))
    async with shared.reading() as connection:
        query = sa.select(idempotency_keys.c.response).where(idempotency_keys.c.id == stored.id)
        response = json.loads(str(await connection.scalar(query)))
    anonymous = shown(ANONYMOUS) | {"postal_code": None}
    assert response == json.loads(stored.response) | dict.fromkeys(("shipping_address", "billing_address"), anonymous)


async def test_an_erasure_is_acknowledged_once(shared: Postgres) -> None:
    customer_id = uuid7()
    repeated = [record(enveloped(CustomerErased(customer_id=customer_id), 2)) for _ in range(2)]
    await consumer(shared).handle(repeated)
    await consumer(shared).handle([record(enveloped(CustomerErased(customer_id=customer_id), 2))])
    key = answer_id(SERVICE, customer_id)
    assert await events(shared, key) == [OrdersAnonymised(answer_id=key, customer_id=customer_id)]


async def erase(database: Postgres, customer_id: UUID) -> None:
    await consumer(database).handle([record(enveloped(CustomerErased(customer_id=customer_id), 2))])


@pytest.mark.parametrize("state", ["PENDING", "CONFIRMED"])
@pytest.mark.parametrize("amended", [False, True])
async def test_an_order_that_is_not_shipped_is_cancelled(
    shared: Postgres, commit: Commit, state: State, amended: bool
) -> None:
    order = await pending(commit)
    if state == "CONFIRMED":
        await consume(shared, reserved(order))
    if amended:
        addresses = {"shipping_address": ADDRESS.model_copy(update={"street": "2 St"})}
        await commit(AmendOrder(order.id, order.customer_id, ANY, None, addresses))
    before = await read(shared, order)
    await erase(shared, order.customer_id)
    kept = await read(shared, order)
    assert (before.state, kept.state, kept.reason, kept.cancellation_note) == (state, "CANCELLED", "customer", None)
    assert (kept.version, kept.amendment) == (before.version + 1, None)
    assert kept.shipping_address.model_dump() == ANONYMOUS
    cancelled = (await events(shared, order.id))[-1]
    assert cancelled == OrderCancelled(order_id=order.id, customer_id=order.customer_id, reason="customer")
    assert (await timeline(shared, order.id))[-1][0] == "order.cancelled"


async def test_what_is_left_of_an_order_that_is_shipped_in_part_is_cancelled(
    shared: Postgres, commit: Commit
) -> None:
    order = shipped_in_part(await pending(commit, 3))
    await commit(Put(order))
    await erase(shared, order.customer_id)
    kept = await read(shared, order)
    assert (kept.state, [line.quantity for line in kept.lines], kept.unshipped) == ("SHIPPED", [1], {})
    [cancelled] = [one for one in await events(shared, order.id) if isinstance(one, RemainderCancelled)]
    assert (cancelled.reason, cancelled.note, cancelled.lines[0].quantity) == ("customer", None, 2)
    await erase(shared, order.customer_id)
    assert await read(shared, order) == kept


async def test_a_reply_about_stock_after_the_erasure_changes_nothing(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    await erase(shared, order.customer_id)
    kept = await read(shared, order)
    await consume(shared, reserved(order))
    assert await read(shared, order) == kept
    assert [event.type for event in await events(shared, order.id)] == ["order.placed", "order.cancelled"]


async def test_a_repeated_erasure_cancels_nothing_again(shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    for _ in range(2):
        await erase(shared, order.customer_id)
    assert [event.type for event in await events(shared, order.id)] == ["order.placed", "order.cancelled"]


async def test_an_erased_customer_cannot_cancel_with_a_note(api: API, shared: Postgres, commit: Commit) -> None:
    """A token outlives its account."""
    order = await pending(commit)
    await erase(shared, order.customer_id)
    path, note = f"/v1/orders/{order.id}/cancel", {"note": "Ada is moving house."}
    assert_problem(await api.post(path, json=note, headers=bearer(order.customer_id)), 409, "account_erased")
    assert_problem(await api.post(path, json=note, headers=bearer()), 404, "order_not_found")
    assert_problem(await api.post(path, json=note, headers=bearer(role="staff")), 409, "transition_not_allowed")


async def test_a_deactivated_customer_can_still_cancel(api: API, shared: Postgres, commit: Commit) -> None:
    order = await pending(commit)
    deactivated = CustomerDeactivated(customer_id=order.customer_id, by="staff")
    await consumer(shared).handle([record(enveloped(deactivated, 2))])
    response = await api.post(
        f"/v1/orders/{order.id}/cancel", json={"note": "No more."}, headers=bearer(order.customer_id)
    )
    assert (response.status_code, response.json()["note"]) == (200, "No more.")


async def fulfil(api: API, order: Order, action: str, **body: Any) -> dict[str, Any]:
    response = await api.post(
        f"/v1/orders/{order.id}/{action}", json=body, headers={**bearer(role="staff"), "If-Match": "*"}
    )
    assert response.status_code == 201, response.text
    after: dict[str, Any] = response.json()
    return after


async def test_what_staff_write_about_an_erased_customers_order_is_not_stored(
    api: API, shared: Postgres, commit: Commit
) -> None:
    """Orders that were shipped in part before an erasure cancelled what is left can still be shipped."""
    order = await pending(commit, 3)
    [line] = order.lines
    await erase(shared, order.customer_id)
    await commit(Put(replace(await read(shared, order), state="SHIPPED")))
    after = await fulfil(api, order, "shipments", carrier="DHL", tracking_number="4711")
    assert [shipment["tracking_number"] for shipment in after["shipments"]] == ["-"]
    one = await read(shared, order)
    arrived = tuple(replace(parcel, status="delivered") for parcel in one.shipments)
    await commit(Put(replace(one, state="DELIVERED", shipments=arrived)))
    after = await fulfil(api, order, "returns", lines=[{"sku": line.sku, "quantity": 1}], reason="Ada has moved.")
    assert [back["reason"] for back in after["returns"]] == [None]
    published = "".join(event.model_dump_json() for event in await events(shared, order.id))
    assert "Ada has moved." not in published
    assert "4711" not in published


async def test_dead_letters_about_an_erased_customer_are_redacted(shared: Postgres) -> None:
    customer_id = uuid7()
    letter = replace(
        record(enveloped(StockReserved(order_id=uuid7(), lines=()))), value=f'"{customer_id} Ada"'.encode()
    )
    await consumer(shared).handle([letter])
    assert [one["value"] for one in await stored_letters(shared)][-1] == letter.value
    await erase(shared, customer_id)
    assert [one["value"] for one in await stored_letters(shared)][-1] is None


def shipped_in_part(order: Order) -> Order:
    """The order after the first of its pieces was shipped."""
    parcel = Shipment(uuid7(), "DHL", "1", (Line(sku=order.lines[0].sku, quantity=1),), order.placed_at)
    return replace(order, state="SHIPPED", shipments=(parcel,))


def returning(order: Order) -> ReturnLines:
    return ReturnLines(order.id, ANY, uuid7(), ReturnedGoods({order.lines[0].sku: 1}), "Ada has moved.")


ACTIONS: dict[str, Callable[[Order], Any]] = {
    "cancel": lambda order: CancelOrder(order.id, order.customer_id, "Ada is moving."),
    "cancel remainder": lambda order: CancelRemainder(order.id, order.customer_id, "Ada is moving."),
    "return": lambda order: returning(order),
    "request": lambda order: RequestReturn(
        order.id, ANY, order.customer_id, uuid7(), {order.lines[0].sku: 1}, "Too small."
    ),
    "ship": lambda order: ShipOrder(order.id, ANY, uuid7(), "DHL", "4711"),
}
ALLOWING: dict[str, Callable[[Order], Order]] = {
    "cancel": lambda order: order,
    "return": lambda order: replace(
        order,
        state="DELIVERED",
        shipments=(Shipment(uuid7(), "DHL", "1", without_prices(order.lines), order.placed_at, "delivered"),),
    ),
    "cancel remainder": lambda order: shipped_in_part(order),
    "ship": lambda order: shipped_in_part(order),
}
ALLOWING["request"] = ALLOWING["return"]
REFUSED = {
    **dict.fromkeys(("cancel", "cancel remainder", "request"), AccountErased),
    "ship": TransitionNotAllowed,
}
"""Nothing is left to ship or to cancel after an erasure, and the customer may not even try."""


@pytest.mark.parametrize("action", ACTIONS)
async def test_texts_that_are_written_during_an_erasure_are_not_kept(
    shared: Postgres, commit: Commit, action: str
) -> None:
    order = ALLOWING[action](await pending(commit))
    await commit(Put(order))
    command, uow = ACTIONS[action](order), OrderUnitOfWork(datetime.now(UTC))
    command.prefetch(uow)
    async with shared.transaction() as tx:
        await uow.load(tx)
        erasing = asyncio.create_task(erase(shared, order.customer_id))
        await eventually(lambda: waits_for_a_row(shared), 10, "the erasure to wait for the order")
        command.execute(uow)
        await uow.save(tx)
    await erasing
    kept = await read(shared, order)
    assert (kept.cancellation_note, remainder_note(kept)) == (None, None)
    assert {request.reason for request in kept.return_requests} <= {None}
    assert [returned.reason for returned in kept.returns] == [None] * (action == "return")
    assert {parcel.tracking_number for parcel in kept.shipments} <= {"-"}
    assert "4711" not in f"{await timeline(shared, order.id)}"


@pytest.mark.parametrize("action", ACTIONS)
async def test_an_action_that_waits_for_an_erasure_sees_it(shared: Postgres, commit: Commit, action: str) -> None:
    order = ALLOWING[action](await pending(commit))
    await commit(Put(order))
    now = datetime.now(UTC)
    event = CustomerErased(customer_id=order.customer_id)
    erasure, uow = EraseCustomer(Envelope(uuid7(), "/shopstream/test", now, 2, event)), OrderUnitOfWork(now)
    erasure.prefetch(uow)
    async with shared.transaction() as tx:
        await uow.load(tx)
        acting = asyncio.create_task(commit(ACTIONS[action](order)))
        await eventually(lambda: waits_for_a_row(shared), 10, "the action to wait for the erasure")
        erasure.execute(uow)
        await uow.save(tx)
    if refusal := REFUSED.get(action):
        with pytest.raises(refusal):
            await acting
    else:
        await acting
    kept = await read(shared, order)
    assert (kept.cancellation_note, remainder_note(kept)) == (None, None)
    assert {request.reason for request in kept.return_requests} <= {None}
    assert {returned.reason for returned in kept.returns} <= {None}
    assert {parcel.tracking_number for parcel in kept.shipments} <= {"-"}
    assert "4711" not in f"{await timeline(shared, order.id)}"


def remainder_note(order: Order) -> str | None:
    return order.cancelled_remainder.note if order.cancelled_remainder else None
