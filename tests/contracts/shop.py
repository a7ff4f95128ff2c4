"""A customer with data in every service, and their ids: what others must not reach."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import sqlalchemy as sa

from chassis.jobs.domain import Job
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import DeadLetter
from chassis.persistence.postgres.database import Postgres
from chassis.testing import LINK_KEY, bearer, records
from notifier_svc import SERVICE as NOTIFICATIONS
from notifier_svc.mails.domain import mail_id
from notifier_svc.suppressions.domain import Suppression
from notifier_svc.suppressions.store import suppressions
from order_svc import SERVICE as ORDERS
from order_svc.handlers import HANDLERS
from order_svc.unit_of_work import OrderUnitOfWork
from schemas import CustomerDeactivated, CustomerErased, Event, StockReserved
from tests.contracts.rest_apis import RestApis
from tests.notifier_svc.factories import cancelled, registered
from tests.notifier_svc.ledger import handle_events
from tests.verification import verification_token

ADDRESS = {"name": "Ada", "street": "12 St", "city": "London", "postal_code": "SW1Y", "country": "GB"}
PARCEL = "/v1/orders/{order_id}/shipments/{shipment_id}"
ABOUT_A_PARCEL = (f"PUT {PARCEL}/tracking", *(f"POST {PARCEL}/{step}" for step in ("deliver", "fail", "return")))
REQUEST = "/v1/orders/{order_id}/return-requests"
ABOUT_A_RETURN = (
    *(f"POST {REQUEST}", "POST /v1/orders/{order_id}/returns"),
    *(f"POST {REQUEST}/{{request_id}}/{answer}" for answer in ("approve", "decline")),
)
PASSWORD = "a password of theirs"
BASKET = {"lines": [{"sku": "{sku}", "quantity": 3}], "shipping_address": ADDRESS}


@dataclass(frozen=True)
class Person:
    """A customer: id, e-mail address, authorisation headers and refresh token."""

    id: UUID
    email: str
    headers: Mapping[str, str]
    refresh_token: str


@dataclass(frozen=True)
class Belongings:
    """The data of ``owner`` and the shop: ids by the names of path parameters.

    ``stages``: for routes that need an order in a certain state, such an order.
    """

    owner: Person
    ids: Mapping[str, str]
    stages: Mapping[str, str]


class Shop:
    """A client of the REST APIs, with the headers that it is given."""

    def __init__(self, apis: RestApis) -> None:
        self._urls, self._stores = apis.urls, apis.stores
        self._client = httpx.AsyncClient(timeout=30)

    async def request(
        self,
        service: str,
        method: str,
        path: str,
        who: Mapping[str, str],
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """The response of a service; of server-sent events, only the beginning."""
        url, sent = f"{self._urls[service]}{path}", {**who, **(headers or {})}
        async with self._client.stream(method, url, headers=sent, json=json) as response:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                await response.aread()
            return response

    async def create(self, service: str, path: str, who: Mapping[str, str], body: Any) -> Any:
        """Create something with a POST; return the body."""
        response = await self.request(service, "POST", path, who, json=body)
        assert response.status_code in (201, 202), response.text
        return response.json()

    async def register(self) -> Person:
        """A new customer, with a verified e-mail address."""
        email = f"{uuid4().hex[:12]}@example.com"
        await self.create("customer", "/v1/customers", {}, {"email": email, "password": PASSWORD, "name": "Ada"})
        token = await verification_token(self._stores["customer"], LINK_KEY, email)
        verified = await self.request("customer", "POST", "/v1/email-verifications", {}, json={"token": token})
        assert verified.status_code == 204, verified.text
        headers, refresh_token = await self._open_session(email)
        me = (await self.request("customer", "GET", "/v1/customers/me", headers)).json()
        return Person(UUID(me["id"]), email, headers, refresh_token)

    async def log_in(self, person: Person) -> Person:
        """The customer with a new session."""
        headers, refresh_token = await self._open_session(person.email)
        return replace(person, headers=headers, refresh_token=refresh_token)

    async def _open_session(self, email: str) -> tuple[Mapping[str, str], str]:
        session = await self.create("customer", "/v1/sessions", {}, {"email": email, "password": PASSWORD})
        return {"Authorization": f"Bearer {session['access_token']}"}, session["refresh_token"]

    async def create_data(self) -> Belongings:
        """Create a customer with an address, orders and a mail; and a catalogue to order from."""
        owner, staff, sku = await self.register(), bearer(role="staff"), f"SKU-{uuid4().hex[:8]}"
        address = await self.create(
            "customer", "/v1/customers/me/addresses", owner.headers, ADDRESS | {"default_for": []}
        )
        category = await self.create("product", "/v1/categories", staff, {"name": "Mugs"})
        product = await self.create("product", "/v1/products", staff, _mug(sku))
        import_ = await self.create("product", "/v1/imports", staff, {"format": "ndjson", "lines": 10})
        keys = [str(uuid4()) for _ in range(7)]
        orders = [await self._order(owner, sku, key) for key in keys]
        pending, amendable, to_ship, to_end, to_track, to_deliver, to_return = orders
        await self._confirm(amendable, to_ship, to_end, to_track, to_deliver, to_return)
        parcels: dict[str, str] = {}
        part = {"carrier": "DHL", "tracking_number": "4711", "lines": [{"sku": sku, "quantity": 1}]}
        await self._act(to_end, "shipments", part)
        for order in (to_track, to_deliver, to_return):
            shipped = await self._act(order, "shipments", {"carrier": "DHL", "tracking_number": "4711"})
            parcels[order] = shipped["shipments"][0]["id"]
        await self._act(to_return, "deliver")
        wish, customer = {"lines": [{"sku": sku, "quantity": 1}]}, {**owner.headers, "If-Match": "*"}
        requested = await self.create("order", f"/v1/orders/{to_return}/return-requests", customer, wish)
        mail = await self._mail(owner, UUID(pending))
        ids = {
            "customer_id": str(owner.id),
            "account_id": str(owner.id),
            "address_id": address["id"],
            "category_id": category["id"],
            "product_id": product["id"],
            "sku": sku,
            "import_id": import_["id"],
            "order_id": pending,
            "notification_id": str(mail),
            "extension": "ndjson",
            "erasure_id": await self._erasure(),
            "suppression_id": await self._suppression(),
            "key": keys[0],
            **await self._for_ops(),
            "latest_order_id": to_return,
            "shipment_id": parcels[to_track],
            "request_id": requested["return_requests"][0]["id"],
            "position": "1000000",
        }
        stages = {
            "PATCH /v1/orders/{order_id}": amendable,
            "POST /v1/orders/{order_id}/shipments": to_ship,
            "POST /v1/orders/{order_id}/cancel-remainder": to_end,
            **dict.fromkeys(ABOUT_A_PARCEL, to_track),
            "POST /v1/orders/{order_id}/deliver": to_deliver,
            **dict.fromkeys(ABOUT_A_RETURN, to_return),
        }
        return Belongings(owner, ids, stages)

    async def _order(self, owner: Person, sku: str, key: str) -> str:
        who = {**owner.headers, "Idempotency-Key": key}
        order_id: str = (await self.create("order", "/v1/orders", who, filled(BASKET, {"sku": sku})))["id"]
        return order_id

    async def _confirm(self, *orders: str) -> None:
        """Confirm orders, as if product_svc had reserved their stock."""
        await self._publish_to_order_svc(*(StockReserved(order_id=UUID(order), lines=()) for order in orders))

    async def erase(self, person: Person) -> str:
        """Erase a customer in all services; return the id of the erasure."""
        made = await self.create("customer", "/v1/erasures", person.headers, {"password": PASSWORD})
        await self._publish_to_order_svc(CustomerErased(customer_id=person.id))
        await self._publish_to_notifier_svc(CustomerErased(customer_id=person.id))
        erasure_id: str = made["id"]
        return erasure_id

    async def deactivate(self, person: Person) -> None:
        """Deactivate an account, as its customer."""
        response = await self.request("customer", "POST", "/v1/customers/me/deactivate", person.headers)
        assert response.is_success, response.text
        await self._publish_to_order_svc(CustomerDeactivated(customer_id=person.id, by="customer"))

    async def _publish_to_order_svc(self, *events: Event) -> None:
        book = Postgres(self._stores["order"])
        await Consumer(book, ORDERS, OrderUnitOfWork, HANDLERS).handle(records(events))
        await book.close()

    async def _publish_to_notifier_svc(self, *events: Event) -> None:
        ledger = Postgres(self._stores["notifier"])
        await handle_events(ledger, *events)
        await ledger.close()

    async def _act(self, order: str, step: str, body: Any = None) -> Any:
        staff = {**bearer(role="staff"), "If-Match": "*"}
        response = await self.request("order", "POST", f"/v1/orders/{order}/{step}", staff, json=body)
        assert response.is_success, response.text
        return response.json()

    async def _erasure(self) -> str:
        """The erasure of another customer: an erased one has no data left."""
        return await self.erase(await self.register())

    async def _suppression(self) -> str:
        ledger = Postgres(self._stores["notifier"])
        made = Suppression(f"{uuid4().hex[:12]}@example.com", uuid4(), "550 5.1.1", datetime.now(UTC))
        async with ledger.engine.begin() as connection:
            await connection.execute(sa.insert(suppressions).values(asdict(made)))
        await ledger.close()
        return str(made.mail_id)

    async def _for_ops(self) -> dict[str, str]:
        """A dead letter and a planned replay of notifier_svc."""
        ledger, event = Postgres(self._stores["notifier"]), CustomerDeactivated(customer_id=uuid4(), by="staff")
        [record] = records([event])
        letter = DeadLetter(
            uuid4(), NOTIFICATIONS, "dead", record.stream, record, "handler_failed", "a bug", "0123456789abcdef"
        )
        request = {"mode": "missing"}
        job = Job(uuid4(), "replay", "planned", request, {"mails_wanted": "withhold"}, uuid4(), "a test")
        async with ledger.transaction() as tx:
            await ledger.dead_letters.add(tx, [letter])
            await ledger.jobs.add(tx, job)
        await ledger.close()
        return {"event_id": str(letter.event_id), "job_id": str(job.id)}

    async def _mail(self, owner: Person, order_id: UUID) -> UUID:
        await self._publish_to_notifier_svc(registered(owner.id, owner.email), cancelled(owner.id, order_id))
        return mail_id("cancelled", owner.id, str(order_id))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def filled(body: Any, ids: Mapping[str, str]) -> Any:
    """A body with the values for names in braces."""
    if isinstance(body, str):
        return ids.get(body[1:-1], body) if body.startswith("{") else body
    if isinstance(body, list):
        return [filled(one, ids) for one in body]
    return {name: filled(value, ids) for name, value in body.items()} if isinstance(body, dict) else body


def _mug(sku: str) -> dict[str, Any]:
    return {"name": "Mug", "variants": [{"sku": sku, "price": {"amount": 1250, "currency": "EUR"}}]}
