"""A service's database in memory: tables are dicts, and changes wait for the commit; and the units of work on it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal
from uuid import UUID

from chassis.messaging.dead_letters import BlockedStreams, DeadLetter, LetterStatus
from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from notifier_svc.unit_of_work import NotifierUnitOfWork
from order_svc.unit_of_work import OrderUnitOfWork
from product_svc.unit_of_work import ProductUnitOfWork
from schemas import Message

Outcome = Literal["committed", "conflict", "error", "dies before commit", "dies after commit"]
"""How a transaction ends: committed, rolled back for a reason that passes, or with its process, around the commit."""


class Died(BaseException):
    """The process has died: no code can catch this."""


ROLLED_BACK: dict[Outcome, type[BaseException]] = {
    "conflict": ConcurrentUpdate,
    "error": RuntimeError,
    "dies before commit": Died,
}


class Transaction(list[Callable[[], object]]):
    """The changes of a transaction, which are applied when it commits."""

    outcome: Outcome = "committed"


class Memory:
    """What a consumer and a group commit use of a database."""

    def __init__(self, published: list[Message]) -> None:
        self.rows: defaultdict[str, dict[Any, Any]] = defaultdict(dict)
        self.logs: defaultdict[str, list[Any]] = defaultdict(list)
        self.inbox, self.dead_letters = Inbox(self), DeadLetters()
        self.outbox = Outbox(published)
        self.next_outcome: Outcome = "committed"

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        tx = Transaction()
        yield tx
        if error := ROLLED_BACK.get(tx.outcome):
            raise error
        for change in tx:
            change()
        if tx.outcome == "dies after commit":
            raise Died


class Inbox:
    def __init__(self, memory: Memory) -> None:
        self.handled: set[UUID] = set()
        self._memory = memory

    def deduplicate(
        self, tx: Transaction, _group: str, events: Collection[UUID], _streams: Collection[str]
    ) -> "Deduplication":
        tx.outcome, self._memory.next_outcome = self._memory.next_outcome, "committed"
        new = set(events) - self.handled
        tx.append(partial(self.handled.update, new))
        return Deduplication(new)

    async def known(self, _group: str, ids: Collection[UUID]) -> set[UUID]:
        return self.handled & set(ids)


@dataclass
class Deduplication:
    """The outcome is known at once."""

    new: set[UUID]

    async def outcome(self) -> tuple[set[UUID], BlockedStreams]:
        return self.new, BlockedStreams()


class Outbox:
    def __init__(self, published: list[Message]) -> None:
        self.pending: list[Message] = []
        self._published = published

    async def add(self, tx: Transaction, messages: Sequence[Message]) -> None:
        tx += [partial(self.pending.extend, messages), partial(self._published.extend, messages)]


class DeadLetters:
    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    async def add(self, tx: Transaction, letters: Sequence[DeadLetter]) -> None:
        tx.append(partial(self.letters.extend, letters))

    async def redact(self, tx: Transaction, ids: Collection[UUID]) -> None:
        """There are no dead letters to redact: the machines fail if there is one."""

    async def states(self, _group: str, _ids: Collection[UUID]) -> Mapping[UUID, LetterStatus]:
        return {}


class InMemory(UnitOfWork):
    """A unit of work on a ``Memory``."""

    memory: Memory
    keys: ClassVar[dict[str, str]] = {}
    """The key of the rows of a kind, if it is not their ``id``."""

    async def load(self, tx: Any) -> None:
        for name, rows in vars(self).items():
            if isinstance(rows, IdentityMap):
                rows.fill(self.memory.rows[name])

    async def save(self, tx: Any) -> None:
        for name, part in vars(self).items():
            if isinstance(part, IdentityMap):
                key = self.keys.get(name, "id")
                tx.append(partial(self.memory.rows[name].update, {getattr(r, key): r for r in part.changed}))
            elif isinstance(part, AppendOnly) and name != "outbox":
                tx.append(partial(self.memory.logs[name].extend, part.added))

    @staticmethod
    def outbox_order(_message: Message) -> Any:
        """The relay reads rows in the order of their insertion."""
        return 0


class Orders(InMemory, OrderUnitOfWork):
    keys: ClassVar = {"products": "sku", "erased_customers": "customer_id"}

    async def load(self, tx: Any) -> None:
        orders, customers = self.memory.rows["orders"], self.memory.rows["customers"]
        leaving = set(self.erased_customers.missing)
        self.orders.prefetch(*(order.id for order in orders.values() if order.customer_id in leaving))
        whose = {order_id: orders[order_id].customer_id for order_id in self.owners.missing if order_id in orders}
        self.owners.fill({order_id: customers[who] for order_id, who in whose.items() if who in customers})
        await super().load(tx)


class Mails(InMemory, NotifierUnitOfWork):
    keys: ClassVar = {"suppressions": "email"}

    async def load(self, tx: Any) -> None:
        self.mails.prefetch(
            *(id for id, mail in self.memory.rows["mails"].items() if mail.customer_id in self.to_erase)
        )
        await super().load(tx)


class Stock(InMemory, ProductUnitOfWork):
    keys: ClassVar = {"stock": "sku", "reservations": "order_id"}

    async def load(self, tx: Any) -> None:
        self.products.fill(self.memory.rows["products"])
        self.stock.prefetch(*(variant.sku for product in self.products.present for variant in product.variants))
        reservations = self.memory.rows["reservations"]
        self.reservations.prefetch(*(id for id, one in reservations.items() if self.taken & one.held.keys()))
        self.reservations.fill(reservations)
        self.stock.prefetch(*(sku for reservation in self.reservations.present for sku in reservation.skus))
        await super().load(tx)

    @staticmethod
    def outbox_order(message: Message) -> Any:
        """MongoDB has no such order; the relay uses the time of the events."""
        return message.headers["ce_time"]
