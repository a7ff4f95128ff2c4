"""What the services know: their parts of a trace, and what their consumer groups did with events."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from ops.platform import SERVICES
from ops.trace.model import GroupVerdict, Record, TracedEvent

MOST_IDS = 1000
"""How many events a service looks up at once."""


class Api(Protocol):
    """The REST APIs of a platform, with the role ops."""

    async def get(self, service: str, path: str, **query: Any) -> Any:
        """Read something."""
        ...

    async def ask(self, service: str, path: str, body: Mapping[str, Any]) -> Any:
        """Read something that is asked for in a body."""
        ...


class Ledgers:
    """The records of all services."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def orders(self, key: str) -> list[Record]:
        """The order with this id, or the newest orders of the customer with this id."""
        return list((await self._part("order", key))["orders"])

    async def stock(self, order_id: str) -> tuple[Record | None, list[Record]]:
        """The reservation of an order, and its movements."""
        part = await self._part("product", order_id)
        return part["reservation"], list(part["movements"])

    async def mails(self, key: str, customer_id: str | None = None) -> list[Record]:
        """The mails about an order of this customer, or to the customer with this id; the oldest first."""
        return list(reversed((await self._part("notifier", key, customer_id=customer_id))["mails"]))

    async def account(self, customer_id: str) -> Record | None:
        """The account with this id."""
        account: Record | None = (await self._part("customer", customer_id))["account"]
        return account

    async def account_of(self, email: str) -> Record | None:
        """The account with this e-mail address, which is sent in the body."""
        account: Record | None = (await self._api.ask("customer", "/v1/ops/traces", {"email": email}))["account"]
        return account

    async def _part(self, service: str, key: str, **query: Any) -> Any:
        return await self._api.get(service, f"/v1/ops/traces/{key}", **query)

    async def verdicts(self, events: Iterable[TracedEvent]) -> dict[str, list[GroupVerdict]]:
        """Event id → what each group did with it. Groups that have no use for an event are left out."""
        types = {event.id: event.type for event in events if event.id}
        found: dict[str, list[GroupVerdict]] = {event_id: [] for event_id in types}
        if not types:
            return found
        for service in SERVICES:
            summary = await self._api.get(service, "/v1/ops/summary")
            for item in await self._looked_up(service, list(types)):
                handled, verdict = types[item["event_id"]] in summary["handles"], item["verdict"]
                if handled or verdict != "unknown":
                    found[item["event_id"]].append(GroupVerdict(summary["group"], verdict, item["at"]))
        return found

    async def _looked_up(self, service: str, ids: Sequence[str]) -> list[Record]:
        items: list[Record] = []
        for start in range(0, len(ids), MOST_IDS):
            body = {"event_ids": ids[start : start + MOST_IDS]}
            items += (await self._api.ask(service, "/v1/ops/lookup", body))["items"]
        return items
