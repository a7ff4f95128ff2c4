"""What is replayed into: a service's group, its handlers and its database."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from chassis.messaging.consumer import Consumer
from chassis.messaging.handlers import Handlers, on_repeat
from chassis.persistence.database import JobStore
from chassis.persistence.transaction_runner import TransactionRunner
from chassis.persistence.unit_of_work import UnitOfWork
from chassis.replay.domain import Group, Mode
from schemas import Envelope, Event

U = TypeVar("U", bound=UnitOfWork)

CountMails = Callable[[Sequence[Envelope[Event]]], Awaitable[tuple[int, int]]]
"""How many mails the handlers of these events would queue that are new, and that are in the ledger already."""


@dataclass(frozen=True)
class ReplayTarget(Generic[U]):
    """A consumer group as a replay sees it."""

    database: JobStore[Any]
    group: str
    handlers: Handlers[U]
    new_uow: Callable[[datetime], U]
    kafka: str
    """``host:port[,host:port]``"""
    prefix: str = ""
    withholding_uow: Callable[[datetime], U] | None = None
    """Makes units of work that queue no mail to be sent; None where the service sends none."""
    count_mails: CountMails | None = None

    def consumer(self, *, withhold_mails: bool = False) -> Consumer[U]:
        """A consumer like the live one."""
        return Consumer(self.database, self.group, self._uow(withhold_mails=withhold_mails), self.handlers)

    def runner(self, *, withhold_mails: bool) -> TransactionRunner[U]:
        """Runs transactions past the inbox."""
        new_uow = self._uow(withhold_mails=withhold_mails)
        return TransactionRunner(self.database, new_uow, feed="replay", point="repeat")

    def _uow(self, *, withhold_mails: bool) -> Callable[[datetime], U]:
        return self.withholding_uow if withhold_mails and self.withholding_uow else self.new_uow

    @property
    def topics(self) -> list[str]:
        """The topics of the handled events."""
        return sorted({cls.topic for cls in self.handlers})

    def rules(self, mode: Mode) -> Group:
        """What the verdicts need to know."""
        convergent = {cls for cls, handler in self.handlers.items() if on_repeat(handler) == "converge"}
        return Group(mode, self.handlers.keys(), convergent)
