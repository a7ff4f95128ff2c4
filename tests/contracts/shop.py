"""A customer with something in every service, and the names of it all: what others must not reach."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import sqlalchemy as sa

from chassis.messaging.consumer import Consumer
from chassis.persistence.postgres.database import Postgres
from chassis.testing import bearer, records
from notifier_svc.mails.domain import mail_id
from notifier_svc.suppressions.domain import Suppression
from notifier_svc.suppressions.store import suppressions
from order_svc import SERVICE as ORDERS
from order_svc.handlers import HANDLERS
from order_svc.store import OrderBook
from schemas import CustomerDeactivated, CustomerErased, Event, StockReserved
from tests.contracts.fronts import Fronts
from tests.notifier_svc.factories import cancelled, registered
from tests.notifier_svc.ledger import handle_events

ADDRESS = {"name": "Ada", "street": "12 St", "city": "London", "postal_code": "SW1Y", "country": "GB"}
PASSWORD = "a password of theirs"
BASKET = {"lines": [{"sku": "{sku}", "quantity": 3}], "shipping_address": ADDRESS}


@dataclass(frozen=True)
class Person:
    """A customer: who it is, the headers of a request, and what brings the next token."""

    id: UUID
    email: str
    headers: Mapping[str, str]
    refresh_token: str


@dataclass(frozen=True)
class Belongings:
    """Everything that ``owner`` and the shop have, by the names of the parameters in paths.

    ``stages`` are the orders that have come as far as a route asks for.
    """

    owner: Person
    ids: Mapping[str, str]
    stages: Mapping[str, str]


class Shop:
    """Asks the fronts, as whoever is named."""

    def __init__(self, fronts: Fronts) -> None:
        self._urls, self._stores = fronts.urls, fronts.stores
        self._client = httpx.AsyncClient(timeout=30)

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        who: Mapping[str, str],
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """What a front answers; of server-sent events, that they begin."""
        url, sent = f"{self._urls[service]}{path}", {**who, **(headers or {})}
        async with self._client.stream(method, url, headers=sent, json=json) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                await answer.aread()
            return answer

    async def made(self, service: str, path: str, who: Mapping[str, str], body: Any) -> Any:
        """What was made by a POST."""
        answer = await self.ask(service, "POST", path, who, json=body)
        assert answer.status_code in (201, 202), answer.text
        return answer.json()

    async def register(self) -> Person:
        """A new customer."""
        email = f"{uuid4().hex[:12]}@example.com"
        await self.made("customer", "/v1/customers", {}, {"email": email, "password": PASSWORD, "name": "Ada"})
        session = await self.made("customer", "/v1/sessions", {}, {"email": email, "password": PASSWORD})
        headers = {"Authorization": f"Bearer {session['access_token']}"}
        me = (await self.ask("customer", "GET", "/v1/customers/me", headers)).json()
        return Person(UUID(me["id"]), email, headers, session["refresh_token"])

    async def furnish(self) -> Belongings:
        """A customer who has an address, an order and a mail; and a catalogue to order from."""
        owner, staff, sku = await self.register(), bearer(role="staff"), f"SKU-{uuid4().hex[:8]}"
        address = await self.made(
            "customer", "/v1/customers/me/addresses", owner.headers, ADDRESS | {"default_for": []}
        )
        category = await self.made("product", "/v1/categories", staff, {"name": "Mugs"})
        product = await self.made("product", "/v1/products", staff, _mug(sku))
        begun = await self.made("product", "/v1/imports", staff, {"format": "ndjson", "lines": 10})
        keys = [uuid4().hex for _ in range(5)]
        orders = [await self._order(owner, sku, key) for key in keys]
        pending, amendable, to_ship, to_deliver, to_return = orders
        await self._confirm(amendable, to_ship, to_deliver, to_return)
        for order in (to_deliver, to_return):
            await self._done(order, "shipments", {"carrier": "DHL", "tracking_number": "4711"})
        await self._done(to_return, "deliver")
        mail = await self._mail(owner, UUID(pending))
        ids = {
            "customer_id": str(owner.id),
            "address_id": address["id"],
            "category_id": category["id"],
            "product_id": product["id"],
            "sku": sku,
            "import_id": begun["id"],
            "order_id": pending,
            "notification_id": str(mail),
            "extension": "ndjson",
            "erasure_id": await self._erasure(),
            "suppression_id": await self._suppression(),
            "key": keys[0],
            "latest_order_id": to_return,
            "position": "1000000",
        }
        stages = {
            "PATCH /v1/orders/{order_id}": amendable,
            "POST /v1/orders/{order_id}/shipments": to_ship,
            "POST /v1/orders/{order_id}/deliver": to_deliver,
            "POST /v1/orders/{order_id}/returns": to_return,
        }
        return Belongings(owner, ids, stages)

    async def _order(self, owner: Person, sku: str, key: str) -> str:
        who = {**owner.headers, "Idempotency-Key": key}
        order_id: str = (await self.made("order", "/v1/orders", who, filled(BASKET, {"sku": sku})))["id"]
        return order_id

    async def _confirm(self, *orders: str) -> None:
        """Say that their stock is reserved, as product_svc's event process would."""
        await self._tell_orders(*(StockReserved(order_id=UUID(order), lines=()) for order in orders))

    async def erase(self, person: Person) -> str:
        """Have somebody erased, everywhere; the id of that."""
        made = await self.made("customer", "/v1/erasures", person.headers, {"password": PASSWORD})
        await self._tell_orders(CustomerErased(customer_id=person.id))
        await self._tell_notifier(CustomerErased(customer_id=person.id))
        erasure_id: str = made["id"]
        return erasure_id

    async def deactivate(self, person: Person) -> None:
        """Put an account out of use, as its customer does."""
        answer = await self.ask("customer", "POST", "/v1/customers/me/deactivate", person.headers)
        assert answer.is_success, answer.text
        await self._tell_orders(CustomerDeactivated(customer_id=person.id, by="customer"))

    async def _tell_orders(self, *told: Event) -> None:
        book = Postgres(self._stores["order"])
        await Consumer(book, ORDERS, OrderBook, HANDLERS).handle(records(told))
        await book.close()

    async def _tell_notifier(self, *told: Event) -> None:
        ledger = Postgres(self._stores["notifier"])
        await handle_events(ledger, *told)
        await ledger.close()

    async def _done(self, order: str, step: str, body: Any = None) -> None:
        staff = {**bearer(role="staff"), "If-Match": "*"}
        answer = await self.ask("order", "POST", f"/v1/orders/{order}/{step}", staff, json=body)
        assert answer.is_success, answer.text

    async def _erasure(self) -> str:
        """Of somebody else: whoever is erased has nothing left."""
        return await self.erase(await self.register())

    async def _suppression(self) -> str:
        ledger = Postgres(self._stores["notifier"])
        made = Suppression(f"{uuid4().hex[:12]}@example.com", uuid4(), "550 5.1.1", datetime.now(UTC))
        async with ledger.engine.begin() as connection:
            await connection.execute(sa.insert(suppressions).values(asdict(made)))
        await ledger.close()
        return str(made.mail_id)

    async def _mail(self, owner: Person, order_id: UUID) -> UUID:
        await self._tell_notifier(registered(owner.id, owner.email), cancelled(owner.id, order_id))
        return mail_id("cancelled", owner.id, str(order_id))

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()


def filled(body: Any, ids: Mapping[str, str]) -> Any:
    """A body with what stands for the names in braces."""
    if isinstance(body, str):
        return ids.get(body[1:-1], body) if body.startswith("{") else body
    if isinstance(body, list):
        return [filled(one, ids) for one in body]
    return {name: filled(value, ids) for name, value in body.items()} if isinstance(body, dict) else body


def _mug(sku: str) -> dict[str, Any]:
    return {"name": "Mug", "variants": [{"sku": sku, "price": {"amount": 1250, "currency": "EUR"}}]}
