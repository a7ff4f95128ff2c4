"""A service's database in memory: tables as dicts, whose changes wait for the commit; and the units over it."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal
from uuid import UUID

from chassis.messaging.dead_letters import DeadLetter
from chassis.persistence.errors import ConcurrentUpdate
from chassis.persistence.unit_of_work import AppendOnly, IdentityMap, UnitOfWork
from notifier_svc.unit_of_work import NotifierUnitOfWork
from order_svc.store import OrderBook
from product_svc.store import Warehouse
from schemas import Message

Fate = Literal["well", "conflict", "error", "dies before", "dies after"]
"""How a batch ends: committed, undone for a reason that passes, or with its process, around the commit."""


class Died(BaseException):
    """The process is no more: nobody can catch this."""


UNDONE: dict[Fate, type[BaseException]] = {"conflict": ConcurrentUpdate, "error": RuntimeError, "dies before": Died}


class Tx(list[Callable[[], object]]):
    """The changes of a transaction, made when it commits."""

    fate: Fate = "well"


class Memory:
    """A database with those verbs of ``chassis.database`` that consumer and group commit need."""

    def __init__(self, told: list[Message]) -> None:
        self.rows: defaultdict[str, dict[Any, Any]] = defaultdict(dict)
        self.logs: defaultdict[str, list[Any]] = defaultdict(list)
        self.inbox: set[UUID] = set()
        self.outbox: list[Message] = []
        self.dead: list[DeadLetter] = []
        self.fate: Fate = "well"
        self._told = told

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        tx = Tx()
        yield tx
        if undone := UNDONE.get(tx.fate):
            raise undone
        for change in tx:
            change()
        if tx.fate == "dies after":
            raise Died

    def admit(self, tx: Tx, _group: str, events: Collection[UUID], _streams: Collection[str]) -> "Admitted":
        tx.fate, self.fate = self.fate, "well"
        fresh = set(events) - self.inbox
        tx.append(partial(self.inbox.update, fresh))
        return Admitted(fresh)

    async def bury(self, tx: Tx, letters: Sequence[DeadLetter]) -> None:
        tx.append(partial(self.dead.extend, letters))

    async def empty(self, tx: Tx, named: Collection[UUID]) -> None:
        """Here nothing is set aside."""

    async def publish(self, tx: Tx, messages: Sequence[Message]) -> None:
        tx += [partial(self.outbox.extend, messages), partial(self._told.extend, messages)]


@dataclass
class Admitted:
    """Nobody has to wait for this outcome."""

    fresh: set[UUID]

    async def outcome(self) -> tuple[set[UUID], set[str]]:
        return self.fresh, set()


class InMemory(UnitOfWork):
    """A unit over a ``Memory``."""

    memory: Memory
    keys: ClassVar[dict[str, str]] = {}
    """What the rows of a kind are found by, where it is not their ``id``."""

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
        """Rows are read in the order of their insertion."""
        return 0


class Orders(InMemory, OrderBook):
    keys: ClassVar = {"products": "sku", "forgotten": "customer_id"}

    async def load(self, tx: Any) -> None:
        orders, customers = self.memory.rows["orders"], self.memory.rows["customers"]
        leaving = set(self.forgotten.missing)
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


class Shelves(InMemory, Warehouse):
    keys: ClassVar = {"stock": "sku", "reservations": "order_id"}

    async def load(self, tx: Any) -> None:
        self.reservations.fill(self.memory.rows["reservations"])
        self.stock.prefetch(*(sku for reservation in self.reservations.present for sku in reservation.held))
        await super().load(tx)

    @staticmethod
    def outbox_order(message: Message) -> Any:
        """MongoDB has no such order; there, the time of the events is it."""
        return message.headers["ce_time"]
