"""Requests for while nobody answers about stock: orders wait, and ops resolve them. A collection of its own."""

from collections.abc import Sequence

from tests.contracts.postman.collection import FIRST, Folders
from tests.contracts.postman.ordering import BASKET
from tests.contracts.postman.selling import MUG
from tests.contracts.postman.step import Step
from tests.contracts.postman.steps import EMAIL, PASSWORD, log_in, registration

ABOUT = (
    "Orders that get no answer about their stock, and how ops resolve them. First pause product_svc's event process,"
    " and let it go on in the end: the order that has asked once more is confirmed then."
)

PEOPLE: Sequence[Step] = (
    Step(FIRST, "POST /v1/customers", 202, body=registration(EMAIL)),
    log_in("Log in", "customer", EMAIL, PASSWORD),
    log_in("Log in as staff", "staff", "{{staff_email}}", "{{staff_password}}"),
    log_in("Log in as ops", "ops", "{{ops_email}}", "{{ops_password}}"),
)
GOODS: Sequence[Step] = (
    Step("Add a product", "POST /v1/products", 201, "staff", MUG | {"category_id": None}),
    Step("Book a delivery", "POST /v1/stock/{sku}/adjustments", 201, "staff", {"delta": 10, "reason": "delivery"}),
)


def _waits(name: str, variable: str) -> Sequence[Step]:
    """Place an order, and see that it waits."""
    one = f"body.items.find((one) => one.order_id === pm.collectionVariables.get('{variable}'))"
    return (
        Step(
            f"Place an order {name}",
            "POST /v1/orders",
            202,
            "customer",
            BASKET,
            query="wait=1s",
            keeps={variable: "body.id"},
            holds={"it waits": "body.state === 'PENDING'"},
        ),
        Step(
            f"Find the order {name}",
            "GET /v1/sagas",
            200,
            "ops",
            query="limit=200",
            holds={"for its stock": f"{one}.step === 'reserve'", "it has asked once": f"{one}.asked === 1"},
        ),
    )


ASKED: Sequence[Step] = (
    *_waits("to ask again for", "asking_id"),
    Step(
        "Ask for its stock once more",
        "POST /v1/sagas/{order_id}/resolve",
        200,
        "ops",
        {"action": "retry"},
        variables={"order_id": "{{asking_id}}"},
        holds={"it waits on": "body.state === 'PENDING'"},
    ),
    Step(
        "See that it was asked again",
        "GET /v1/orders/{order_id}/timeline",
        200,
        "customer",
        variables={"order_id": "{{asking_id}}"},
        holds={"by ops": "body.entries.some((one) => one.type === 'saga.asked_again' && one.detail.by === 'ops')"},
    ),
)
GIVEN_UP: Sequence[Step] = (
    *_waits("to give up", "given_up_id"),
    Step(
        "Give it up",
        "POST /v1/sagas/{order_id}/resolve",
        200,
        "ops",
        {"action": "cancel"},
        variables={"order_id": "{{given_up_id}}"},
        holds={"it has ended": "body.state === 'CANCELLED'"},
    ),
    Step(
        "Give it up again",
        "POST /v1/sagas/{order_id}/resolve",
        409,
        "ops",
        {"action": "cancel"},
        variables={"order_id": "{{given_up_id}}"},
        holds={"it does not wait any more": "body.code === 'transition_not_allowed'"},
    ),
)

FOLDERS: Folders = {
    "Who takes part": ("customer", PEOPLE),
    "What is ordered": ("product", GOODS),
    "An order that asks again": ("order", ASKED),
    "An order that is given up": ("order", GIVEN_UP),
}
