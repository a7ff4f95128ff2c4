"""The requests about orders."""

from collections.abc import Sequence

from tests.contracts.postman.step import TAG, Step

WHERE = {
    "name": "Ada Lovelace",
    "street": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
BASKET = {"lines": [{"sku": "{{sku}}", "quantity": 2}], "shipping_address": WHERE}
ANY = {"If-Match": "*"}
KEY = {"Idempotency-Key": "{{run}}"}

ORDERS: Sequence[Step] = (
    Step(
        "Place an order",
        "POST /v1/orders",
        202,
        "customer",
        BASKET,
        headers=KEY,
        told=("Location",),
        keeps={"order_id": "body.id"},
        holds={"it waits for its stock": "body.state === 'PENDING'", "prices are ours": "body.total.amount === 2600"},
    ),
    Step(
        "Place it again under the same key",
        "POST /v1/orders",
        202,
        "customer",
        BASKET,
        headers=KEY,
        told=("Idempotency-Replayed",),
        holds={"it is the same": "body.id === pm.collectionVariables.get('order_id')"},
    ),
    Step(
        "Wait until it is confirmed", "GET /v1/orders/{order_id}", 200, "customer", until="body.state === 'CONFIRMED'"
    ),
    Step("List one's orders", "GET /v1/orders", 200, "customer", holds={"one": "body.items.length === 1"}),
    Step(
        "Follow an order",
        "GET /v1/orders/{order_id}/timeline",
        200,
        "customer",
        holds={"it begins with its placing": "body.entries[0].type === 'order.placed'"},
    ),
    Step("Read an order", "GET /v1/orders/{order_id}", 200, "customer", told=("ETag",)),
    Step(
        "Amend an order",
        "PATCH /v1/orders/{order_id}",
        202,
        "customer",
        {"lines": [{"sku": "{{sku}}", "quantity": 3}]},
        headers=TAG,
        told=("ETag",),
    ),
    Step(
        "Wait until it is amended",
        "GET /v1/orders/{order_id}",
        200,
        "customer",
        until="body.revision === 2 && body.lines[0].quantity === 3",
    ),
    Step(
        "Place an order to cancel",
        "POST /v1/orders",
        202,
        "customer",
        BASKET,
        told=("Location",),
        keeps={"cancelled_id": "pm.collectionVariables.get('order_id')", "order_id": "body.id"},
    ),
    Step(
        "Cancel an order",
        "POST /v1/orders/{order_id}/cancel",
        200,
        "customer",
        keeps={"order_id": "pm.collectionVariables.get('cancelled_id')"},
        holds={"it has ended": "body.state === 'CANCELLED'"},
    ),
    Step(
        "Ship an order",
        "POST /v1/orders/{order_id}/shipments",
        201,
        "staff",
        {"carrier": "DHL", "tracking_number": "00340434161094042557"},
        headers=ANY,
        told=("ETag",),
        holds={"it is on its way": "body.state === 'SHIPPED'"},
    ),
    Step(
        "Note that it has arrived",
        "POST /v1/orders/{order_id}/deliver",
        200,
        "staff",
        headers=ANY,
        told=("ETag",),
        holds={"it is there": "body.state === 'DELIVERED'"},
    ),
    Step(
        "Take a piece back",
        "POST /v1/orders/{order_id}/returns",
        201,
        "staff",
        {"lines": [{"sku": "{{sku}}", "quantity": 1}], "reason": "Broken on arrival."},
        headers=ANY,
        told=("ETag",),
    ),
    Step("List what waits for its stock", "GET /v1/sagas", 200, "ops"),
    Step(
        "Resolve what does not wait",
        "POST /v1/sagas/{order_id}/resolve",
        409,
        "ops",
        {"action": "retry"},
        holds={"it is not possible": "body.code === 'not_possible_now'"},
    ),
)
