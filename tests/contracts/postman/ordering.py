"""The requests about orders."""

from collections.abc import Sequence

from tests.contracts.postman.step import Step

WHERE = {
    "name": "Ada Lovelace",
    "street": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}
BASKET = {"lines": [{"sku": "{{sku}}", "quantity": 2}], "shipping_address": WHERE}
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
)
