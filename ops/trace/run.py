"""One trace from beginning to end: find what the key stands for, read its records, then its events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ops.errors import CannotDo
from ops.trace.keys import Key, time_of
from ops.trace.ledgers import Ledgers
from ops.trace.model import Record, Trace, TracedEvent
from ops.trace.search import EventSearch, Stream
from schemas.topics import CUSTOMER_EVENTS, NOTIFICATION_EVENTS, ORDER_EVENTS, STOCK_EVENTS

MOST_ORDERS = 5
"""Of a customer or of a trace id, so many orders are traced."""
MOST_EVENTS = 1000
"""So many events of one trace id are shown."""
PUBLISHED = ("sent", "failed", "suppressed")
"""The states of a mail about which an event is published."""


async def trace(ledgers: Ledgers, search: EventSearch, key: Key, since: datetime) -> Trace | None:
    """Everything about a key; None if there is nothing. For a trace id, the events since a time are searched."""
    tracing = _Tracing(ledgers, search)
    if key.kind == "trace_id":
        return await tracing.by_trace_id(key.value, since)
    if key.kind == "email":
        account = await ledgers.account_of(key.value)
        return await tracing.by_customer(account["id"], account) if account else None
    return await tracing.by_id(key.id)


@dataclass(frozen=True, slots=True)
class _Tracing:
    ledgers: Ledgers
    search: EventSearch

    async def by_id(self, id: UUID) -> Trace | None:
        """The trace of an order, a customer, or an event."""
        key = str(id)
        orders = await self.ledgers.orders(key)
        if [order["id"] for order in orders] == [key]:
            return await self._finish(Trace(key, "order"), orders)
        account = await self.ledgers.account(key)
        if orders or account:
            return await self.by_customer(key, account, orders)
        moment = time_of(id)
        event = await self.search.of_id(key, moment) if moment else None
        if event is None:
            self._require_complete_search()
            return None
        return await self._of_events(Trace(key, "event"), [event])

    async def by_customer(
        self, customer_id: str, account: Record | None, orders: Sequence[Record] | None = None
    ) -> Trace:
        """The trace of a customer: the account, and the newest orders."""
        found = await self.ledgers.orders(customer_id) if orders is None else orders
        mails = await self._mails_about_account(customer_id)
        traced = Trace(customer_id, "customer", account=account, mails=mails)
        if len(found) > MOST_ORDERS:
            traced.notes.append(f"only the {MOST_ORDERS} newest orders are shown: trace others by their ids")
        return await self._finish(traced, found[:MOST_ORDERS])

    async def by_trace_id(self, trace_id: str, since: datetime) -> Trace | None:
        """The trace of the events that carry a trace id."""
        events = await self.search.of_trace(trace_id, since, MOST_EVENTS)
        if not events:
            self._require_complete_search()
            return None
        traced = Trace(trace_id, "trace_id")
        if len(events) >= MOST_EVENTS:
            traced.notes.append(f"only the first {MOST_EVENTS} events are shown")
        return await self._of_events(traced, events[:MOST_EVENTS])

    async def _of_events(self, traced: Trace, events: Sequence[TracedEvent]) -> Trace:
        """The trace of the orders that events are about, with these events marked."""
        traced.marked = frozenset(event.id for event in events if event.id)
        traced.events = list(events)
        ids = list(dict.fromkeys(event.order_id for event in events if event.order_id))
        if len(ids) > MOST_ORDERS:
            traced.notes.append(f"{len(ids)} orders have such events; the first {MOST_ORDERS} are traced")
        accounts = [event.key for event in events if event.topic == CUSTOMER_EVENTS and event.key]
        if accounts:
            traced.account = await self.ledgers.account(accounts[0])
            traced.mails = await self._mails_about_account(accounts[0])
        orders = [order for one in ids[:MOST_ORDERS] for order in await self.ledgers.orders(one)]
        return await self._finish(traced, orders)

    async def _mails_about_account(self, customer_id: str) -> list[Record]:
        return [mail for mail in await self.ledgers.mails(customer_id) if mail["order_id"] is None]

    async def _finish(self, traced: Trace, orders: Sequence[Record]) -> Trace:
        """Read what belongs to these orders, and then the events, which are published after they are stored."""
        streams: list[Stream] = []
        for order in orders:
            traced.orders.append(order)
            reservation, movements = await self.ledgers.stock(order["id"])
            mails = await self.ledgers.mails(order["id"], order["customer_id"])
            traced.reservations += [reservation] if reservation else []
            traced.movements += movements
            traced.mails += mails
            streams += [_order_stream(order), *_stock_stream(order, reservation)]
        streams += [stream for mail in traced.mails for stream in _mail_stream(mail, orders)]
        if traced.account and traced.account["role"] == "customer":
            streams.append(_account_stream(traced.account))
        await self.search.note_ends()
        for stream in streams:
            await self._add_events(traced, stream)
        traced.events.sort(key=_order)
        traced.groups = await self.ledgers.verdicts(traced.events)
        if self.search.cut_short:
            traced.notes.append("the search was ended before everything was read: give it more --seconds")
        return traced

    async def _add_events(self, traced: Trace, stream: Stream) -> None:
        found = await self.search.of_stream(stream)
        known = {(event.topic, event.partition, event.offset) for event in traced.events}
        traced.events += [event for event in found if (event.topic, event.partition, event.offset) not in known]
        if missing := stream.count - sum(event.version is not None for event in found):
            traced.notes.append(
                f"{missing} of {stream.count} events of {stream.topic} about {stream.key} are not on the topic (yet)"
            )

    def _require_complete_search(self) -> None:
        """Raise ``CannotDo`` unless everything was read: only then it is certain that there is nothing."""
        if self.search.cut_short:
            raise CannotDo("nothing was found before the time was over: give it more --seconds")


def _order_stream(order: Record) -> Stream:
    times = [entry["at"] for entry in order["timeline"] if entry["type"].startswith("order.")]
    return Stream(ORDER_EVENTS, order["id"], order["version"], _moment(order["placed_at"]), _moments(times))


def _stock_stream(order: Record, reservation: Record | None) -> list[Stream]:
    """The events about the reservation of an order; none where product_svc has not heard of it."""
    if reservation is None:
        return []
    times = [entry["at"] for entry in order["timeline"] if entry["type"].startswith("stock.")]
    since = _moment(order["placed_at"])
    return [Stream(STOCK_EVENTS, order["id"], reservation["version"], since, _moments(times))]


def _mail_stream(mail: Record, orders: Sequence[Record]) -> list[Stream]:
    """The events about a mail. One that counted as failed can turn out to have been sent: the timeline has both."""
    if mail["state"] not in PUBLISHED:
        return []
    entries = [entry for order in orders if order["id"] == mail["order_id"] for entry in order["timeline"]]
    times = _moments(entry["at"] for entry in entries if entry["detail"].get("mail_id") == mail["id"])
    since = min([*times, _moment(mail["changed_at"])])
    return [Stream(NOTIFICATION_EVENTS, mail["id"], max(len(times), 1), since, times)]


def _account_stream(account: Record) -> Stream:
    changed = _moment(account["changed_at"])
    return Stream(CUSTOMER_EVENTS, account["id"], account["version"], time_of(UUID(account["id"])) or changed)


def _moments(texts: Iterable[str]) -> list[datetime]:
    return [_moment(text) for text in texts]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _order(event: TracedEvent) -> tuple[datetime, str, int]:
    return event.at, event.topic, event.offset
