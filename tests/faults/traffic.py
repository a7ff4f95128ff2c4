"""The traffic while the platform is being broken: orders and everything that happens to them, deliveries, new
customers.

Every client retries requests without a response, orders with the same Idempotency-Key, and expects in the end to find
each order once.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import psycopg

from tests.stack import ABOUT_ORDERS, ADDRESS, STAFF, Stack, all_items, eventually

R = TypeVar("R")

SHOPPERS = 2
PAUSE_SECONDS = (0.05, 0.2)
"""Between two orders of a shopper."""
TIMEOUT_SECONDS = 5.0
"""A request without a response after this time is retried."""
SETTLE_SECONDS = 240.0
MOST_MAILS = 1_000_000
CANCELLED, AMENDED = 0.1, 0.2
"""The fractions of the orders that their customers cancel, and amend."""
ONCE = {
    *(f"order.{what}" for what in ("confirmed", "rejected", "cancelled", "remainder_cancelled", "delivered")),
    "order.undelivered",
}
"""Events that an order can have at most once."""
MAILED = ONCE - {"order.undelivered"} | {
    *("order.amendment_accepted", "order.amendment_refused", "order.shipped", "order.parcel_failed"),
    *("order.return_requested", "order.return_approved", "order.returned"),
}
"""Events about which the customer gets a mail."""
FIRST = "{first}"
REQUEST = "{request}"
"""These stand for the paths of the first parcel of an order, and of the first request to return something."""
PARCEL = {"carrier": "DHL", "tracking_number": "4711"}
CHANGED = {200, 201, 202, 409, 412}
"""Expected statuses for a change of an order: 409 and 412 if another change, or the first attempt, was faster."""


@dataclass
class Shopper:
    """A customer with their orders: Idempotency-Key → location of the order."""

    email: str
    headers: Mapping[str, str]
    orders: dict[str, str] = field(default_factory=dict)


@dataclass
class Traffic:
    """Clients of one platform, from ``begin`` until ``end``."""

    shop: Stack
    rng: random.Random
    skus: list[str]
    """The stock of the last one is too small for all orders."""
    staff: Mapping[str, str]
    shoppers: list[Shopper]
    with_parcels: bool = True
    """Whether parcels fail, remainders are cancelled, returns requested and held pieces lost, which 0.2.0 does not
    know."""
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    @classmethod
    async def begin(cls, shop: Stack, rng: random.Random, *, with_parcels: bool = True) -> "Traffic":
        """Start; return after the first orders."""
        skus = [await shop.product(on_hand=100_000) for _ in range(3)] + [await shop.product(on_hand=30)]
        shoppers = [Shopper(*await shop.customer()) for _ in range(SHOPPERS)]
        made = cls(shop, rng, skus, await shop.log_in(*STAFF), shoppers, with_parcels)
        for shopper in shoppers:
            await made._place(shopper)
        loops = [made._delivering(), made._registering(), made._fulfilling()]
        loops += [made._breaking()] if with_parcels else []
        loops += [made._shopping(shopper) for shopper in shoppers]
        made._tasks = [asyncio.create_task(loop) for loop in loops]
        return made

    @property
    def orders(self) -> int:
        """The number of accepted orders."""
        return sum(len(shopper.orders) for shopper in self.shoppers)

    async def end(self) -> None:
        """Stop after all requests in progress; raise the error of a client, if there is one."""
        self._stopped.set()
        await asyncio.gather(*self._tasks)

    async def settled(self) -> int:
        """Wait until every order has ended and its mails are sent; return the number of mails that were sent twice.

        Fails if an order is missing or was placed twice, or a mail is missing or was sent twice without being in
        doubt.
        """
        # One after the other: concurrent requests would take the CPU that the platform needs to settle.
        return sum([await self._settled(shopper) for shopper in self.shoppers])

    async def _shopping(self, shopper: Shopper) -> None:
        while not self._stopped.is_set():
            location, luck = await self._place(shopper), self.rng.random()
            if luck < AMENDED:
                whatever = {**shopper.headers, "If-Match": "*"}
                await self._request("PATCH", "order", location, whatever, {"lines": self._lines()}, good=CHANGED)
            elif luck < AMENDED + CANCELLED:
                await self._request("POST", "order", f"{location}/cancel", shopper.headers, good=CHANGED)
            await asyncio.sleep(self.rng.uniform(*PAUSE_SECONDS))

    def _lines(self) -> list[dict[str, Any]]:
        return [{"sku": sku, "quantity": self.rng.randint(1, 3)} for sku in self.rng.sample(self.skus, 2)]

    async def _place(self, shopper: Shopper) -> str:
        key = uuid4().hex
        body = {"lines": self._lines(), "shipping_address": ADDRESS}
        headers = {**shopper.headers, "Idempotency-Key": key}
        response = await self._request("POST", "order", "/v1/orders", headers, body, good={202})
        shopper.orders[key] = response.headers["location"]
        return shopper.orders[key]

    async def _delivering(self) -> None:
        while not self._stopped.is_set():
            path = f"/v1/stock/{self.rng.choice(self.skus[:-1])}/adjustments"
            headers = {**self.staff, "Idempotency-Key": uuid4().hex}
            await self._request("POST", "product", path, headers, {"delta": 1, "reason": "delivery"}, good={201})
            await asyncio.sleep(0.5)

    async def _breaking(self) -> None:
        """Pieces of the scarce SKU break, also such as orders hold, as long as there are any; others come."""
        while not self._stopped.is_set():
            path = f"/v1/stock/{self.skus[-1]}/adjustments"
            for body in ({"delta": -1, "reason": "damage", "take_held": True}, {"delta": 1, "reason": "delivery"}):
                headers = {**self.staff, "Idempotency-Key": uuid4().hex}
                await self._request("POST", "product", path, headers, body, good={201, 409})
            await asyncio.sleep(1)

    async def _fulfilling(self) -> None:
        """Staff ship orders, some in two parts or the second part cancelled, mark them as delivered, and accept a
        return of one piece, sometimes requested before. Some parcels are refused and come back.
        """
        while not self._stopped.is_set():
            placed = [(shopper, location) for shopper in self.shoppers for location in shopper.orders.values()]
            shopper, location = self.rng.choice(placed)
            order = await self._read("order", location, shopper)
            one = {"lines": [{"sku": order["lines"][0]["sku"], "quantity": 1}]}
            steps = _fates(one, self.rng.random()) if self.with_parcels else _steps(one, self.rng.random())
            for step, body in steps if order["state"] == "CONFIRMED" else ():
                who = shopper.headers if step == "return-requests" else self.staff
                headers = {**who, "If-Match": f'"{order["version"]}"'}
                path = f"{location}/{step}".replace(FIRST, _first(order, "shipments"))
                path = path.replace(REQUEST, _first(order, "return_requests"))
                if step == "returns" and order.get("return_requests"):
                    body = {**body, "request_id": order["return_requests"][0]["id"]}
                response = await self._request("POST", "order", path, headers, body, good=CHANGED)
                if not response.is_success:
                    break
                order = response.json()
            await asyncio.sleep(0.5)

    async def _registering(self) -> None:
        while not self._stopped.is_set():
            email = f"{uuid4().hex[:12]}@example.com"
            body = {"email": email, "password": "a password of theirs"}
            await self._request("POST", "customer", "/v1/customers", {}, {**body, "name": "Ada"}, good={202})
            # The registration may have been retried: then it was more than one.
            owner = {"name": "Ada", "password": body["password"]}
            proof = {"token": await self._link_token(email), "owner": owner}
            await self._request("POST", "customer", "/v1/email-verifications", {}, proof, good={204, 409})
            session = await self._request("POST", "customer", "/v1/sessions", {}, body, good={201})
            self.shoppers.append(Shopper(email, {"Authorization": f"Bearer {session.json()['access_token']}"}))
            await self._place(self.shoppers[-1])
            await asyncio.sleep(1)

    async def _link_token(self, email: str) -> str:
        """The token of the link in a customer's mail; retried, because the database may be broken just now."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            assert time.monotonic() < deadline, f"no link to {email} within {SETTLE_SECONDS:g} s"
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    return await self.shop.link_token(email)
            except (psycopg.Error, TimeoutError):
                await asyncio.sleep(0.2)

    async def _request(
        self, method: str, service: str, path: str, headers: Mapping[str, str], body: Any = None, *, good: set[int]
    ) -> httpx.Response:
        """Retry until there is a response; fail if its status is neither ``good`` nor a 5xx."""
        base = self.shop.mail_page if service == "mail" else self.shop.urls[service]
        deadline = time.monotonic() + SETTLE_SECONDS
        while True:
            assert time.monotonic() < deadline, f"no good response to {method} {path} within {SETTLE_SECONDS:g} s"
            try:
                response = await self.shop.http.request(
                    method, base + path, json=body, headers=dict(headers), timeout=TIMEOUT_SECONDS
                )
            except httpx.TransportError:
                await asyncio.sleep(0.2)
                continue
            if response.status_code in good:
                return response
            assert response.status_code >= 500, f"{method} {path}: {response.status_code} {response.text}"
            await asyncio.sleep(0.2)

    async def _settled(self, shopper: Shopper) -> int:
        orders = await self._all_ended(shopper)
        placed = [f"/v1/orders/{order['id']}" for order in orders]
        assert Counter(placed) == Counter(shopper.orders.values()), (
            "every key has one order, and every order has a key"
        )
        letters = sum([await self._events_complete(shopper, location) for location in placed])
        mails = await self._mails(shopper)
        ledger = await self._all_mailed(shopper)
        assert [mail["template"] for mail in ledger].count("welcome") == 1, "every customer has one welcome mail"
        about_orders = [mail for mail in ledger if mail["order_id"]]
        failed = [mail for mail in about_orders if mail["state"] != "sent"]
        assert all(mail["doubts"] for mail in failed), f"failed without being in doubt: {failed}"
        assert len(about_orders) == letters, "the ledger holds each mail once"
        assert letters - len(failed) <= len(mails) <= letters, "every mail has arrived"
        twice: int = sum(mail["copies"] - 1 for mail in mails)
        assert twice <= sum(mail["doubts"] for mail in about_orders), "a mail was sent twice without being in doubt"
        return twice

    async def _all_ended(self, shopper: Shopper) -> list[dict[str, Any]]:
        waiting: list[dict[str, Any]] = []

        async def ended() -> list[dict[str, Any]] | None:
            orders = [order async for order in self._everything("order", "/v1/orders", shopper)]
            waiting[:] = [order for order in orders if order["state"] == "PENDING" or order["amendment"]]
            return orders if not waiting else None

        try:
            return await self._finally(ended, "every order to end")
        except AssertionError as error:
            for order in waiting:
                error.add_note(str(await self._read("order", f"/v1/orders/{order['id']}/timeline", shopper)))
            raise

    async def _events_complete(self, shopper: Shopper, location: str) -> int:
        async def complete() -> int | None:
            timeline = await self._read("order", f"{location}/timeline", shopper)
            kinds: Counter[str] = Counter(entry["type"] for entry in timeline["entries"])
            assert all(kinds[kind] <= 1 for kind in ONCE), timeline
            # The saga requests stock again where a reply was lost for minutes.
            assert kinds["order.placed"] <= 1 + kinds["saga.asked_again"], timeline
            assert kinds["stock.reserved"] <= kinds["order.placed"] + kinds["order.amended"], timeline
            letters = sum(kinds[kind] for kind in MAILED)
            # A mail that was given up in doubt and arrived after all has two entries.
            return letters if kinds["notification.mail_sent"] + kinds["notification.mail_failed"] >= letters else None

        return await self._finally(complete, f"the mails about {location}")

    async def _all_mailed(self, shopper: Shopper) -> list[dict[str, Any]]:
        async def mailed() -> list[dict[str, Any]] | None:
            ledger = [mail async for mail in self._everything("notifier", "/v1/notifications", shopper)]
            return ledger if {mail["state"] for mail in ledger} <= {"sent", "failed"} else None

        return await self._finally(mailed, "every mail to be sent")

    async def _finally(self, true: Callable[[], Awaitable[R | None]], what: str) -> R:
        found: R = await eventually(true, SETTLE_SECONDS, what, pause=0.3)
        return found

    async def _read(self, service: str, path: str, shopper: Shopper) -> Any:
        return (await self._request("GET", service, path, shopper.headers, good={200})).json()

    async def _mails(self, shopper: Shopper) -> list[dict[str, Any]]:
        """The mails about orders that arrived."""
        listed = f"/api/messages?to={shopper.email}&limit={MOST_MAILS}"
        response = await self._request("GET", "mail", listed, {}, good={200})
        return [mail for mail in response.json() if ABOUT_ORDERS in mail["subject"]]

    def _everything(self, service: str, path: str, shopper: Shopper) -> AsyncIterator[dict[str, Any]]:
        return all_items(lambda page: self._read(service, page, shopper), path)


def _steps(one: Any, luck: float) -> list[tuple[str, Any]]:
    """What staff do with an order: it is shipped, in one parcel or two, and arrives; a piece of it comes back."""
    first: list[tuple[str, Any]] = [("shipments", {**PARCEL, **one})] if luck < 0.5 else []
    return [*first, ("shipments", PARCEL), ("deliver", None), ("returns", one)]


def _fates(one: Any, luck: float) -> list[tuple[str, Any]]:
    """The same, or a remainder is cancelled, a parcel refused, a return requested."""
    steps = _steps(one, luck)
    if luck < 0.25:
        steps[1] = ("cancel-remainder", None)
    if luck < 0.4:
        steps[2:] = [(f"{FIRST}/fail", {"reason": "refused"}), (f"{FIRST}/return", None)]
    elif luck < 0.45:
        steps[2] = (f"{FIRST}/deliver", None)
    elif luck > 0.75:
        steps[1:] = [("deliver", None), ("return-requests", one), (f"{REQUEST}/approve", None), ("returns", one)]
    return steps


def _first(order: dict[str, Any], parts: str) -> str:
    """The path of the first of the parts of an order, below that of the order."""
    return "".join(f"{parts.replace('_', '-')}/{one['id']}" for one in order.get(parts, ())[:1])
