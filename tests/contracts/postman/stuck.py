"""A second collection, for a time when product_svc does not reply: orders wait, and ops resolve them."""

from collections.abc import Sequence

from tests.contracts.postman.accounts import EMAIL, PASSWORD, WELCOME, confirm, link_of, log_in, registration
from tests.contracts.postman.collection import FIRST, Folders
from tests.contracts.postman.ordering import BASKET
from tests.contracts.postman.selling import MUG
from tests.contracts.postman.step import Step

ABOUT = (
    "Orders that get no reply about their stock, and how ops resolve them. Pause product_svc's event process before,"
    " and resume it afterwards: then the retried order is confirmed."
)

REGISTRATION: Sequence[Step] = (Step(FIRST, "POST /v1/customers", 202, body=registration(EMAIL)),)
MAILBOX: Sequence[Step] = link_of("verify-email", EMAIL, WELCOME, "confirms the address", "verify_token")
ACCOUNTS: Sequence[Step] = (
    confirm("Confirm the address", "verify_token"),
    log_in("Log in", "customer", EMAIL, PASSWORD),
    log_in("Log in as staff", "staff", "{{staff_email}}", "{{staff_password}}"),
    log_in("Log in as ops", "ops", "{{ops_email}}", "{{ops_password}}"),
)
PRODUCT: Sequence[Step] = (
    Step("Add a product", "POST /v1/products", 201, "staff", MUG | {"category_id": None}),
    Step("Book a delivery", "POST /v1/stock/{sku}/adjustments", 201, "staff", {"delta": 10, "reason": "delivery"}),
)


def _waits(name: str, variable: str) -> Sequence[Step]:
    """Place an order, and check that it waits."""
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
            holds={"for its stock": f"{one}.step === 'reserve'", "it was requested once": f"{one}.asked === 1"},
        ),
    )


RETRIED: Sequence[Step] = (
    *_waits("to retry", "retried_id"),
    Step(
        "Retry the saga",
        "POST /v1/sagas/{order_id}/resolve",
        200,
        "ops",
        {"action": "retry", "why": "product_svc is paused"},
        headers={"Idempotency-Key": "{{run}}-retry"},
        variables={"order_id": "{{retried_id}}"},
        holds={"it still waits": "body.state === 'PENDING'"},
    ),
    Step(
        "See the retry in the timeline",
        "GET /v1/orders/{order_id}/timeline",
        200,
        "customer",
        variables={"order_id": "{{retried_id}}"},
        holds={"by ops": "body.entries.some((one) => one.type === 'saga.asked_again' && one.detail.by === 'ops')"},
    ),
)
CANCELLED: Sequence[Step] = (
    *_waits("to cancel", "cancelled_id"),
    Step(
        "Cancel the saga",
        "POST /v1/sagas/{order_id}/resolve",
        200,
        "ops",
        {"action": "cancel", "why": "product_svc is paused"},
        headers={"Idempotency-Key": "{{run}}-cancel"},
        variables={"order_id": "{{cancelled_id}}"},
        holds={"it has ended": "body.state === 'CANCELLED'"},
    ),
    Step(
        "Cancel it again",
        "POST /v1/sagas/{order_id}/resolve",
        409,
        "ops",
        {"action": "cancel", "why": "product_svc is paused"},
        headers={"Idempotency-Key": "{{run}}-cancel-again"},
        variables={"order_id": "{{cancelled_id}}"},
        holds={"the transition is refused": "body.code === 'transition_not_allowed'"},
    ),
)

FOLDERS: Folders = {
    "Registration": ("customer", REGISTRATION),
    "Mailbox": ("mail", MAILBOX),
    "Accounts": ("customer", ACCOUNTS),
    "Product": ("product", PRODUCT),
    "A retried order": ("order", RETRIED),
    "A cancelled order": ("order", CANCELLED),
}
