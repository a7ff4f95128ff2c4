"""What the chassis asks of a database, in small protocols; each user of one names only what it needs.

Two databases offer all of it: ``postgres.database.Postgres`` and ``mongo.database.Mongo``.
"""

from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeVar

from chassis.jobs.store import Jobs
from chassis.messaging.dead_letters import DeadLetters
from chassis.messaging.inbox import Attempts, Inbox
from chassis.messaging.leadership import Leadership
from chassis.messaging.outbox import Outbox, OutboxBacklog
from chassis.messaging.subscriptions import Subscriptions
from chassis.messaging.wake_ups import WakeUps
from chassis.persistence.snapshots import Snapshots

Tx = TypeVar("Tx")
Tx_co = TypeVar("Tx_co", covariant=True)


class Transactions(Protocol[Tx_co]):
    """A database with transactions."""

    def transaction(self) -> AbstractAsyncContextManager[Tx_co]:
        """Commit at the end, roll back on an exception.

        Raise ``ConcurrentUpdate``, ``DatabaseUnavailable``, ``CommitOutcomeUnknown``.
        """
        ...


class TransactionalStore(Transactions[Tx], Protocol[Tx]):
    """What a unit of work is saved to: rows, the events they cause, and the dead letters that they redact."""

    @property
    def outbox(self) -> Outbox[Tx]:
        """Events to be published."""
        ...

    @property
    def dead_letters(self) -> DeadLetters[Tx]:
        """Events that could not be handled."""
        ...


class EventStore(TransactionalStore[Tx], Protocol[Tx]):
    """What a consumer works on: a transactional store that knows which events it has handled."""

    @property
    def inbox(self) -> Inbox[Tx]:
        """Events that were handled."""
        ...

    @property
    def attempts(self) -> Attempts[Tx]:
        """Events that were being handled when the process died."""
        ...


class RelayStore(Protocol):
    """What a relay works on: the outbox, who may read it, and what wakes it."""

    @property
    def outbox(self) -> Outbox[object]:
        """Events to be published."""
        ...

    @property
    def leadership(self) -> Leadership:
        """Who may read the outbox."""
        ...

    @property
    def wake_ups(self) -> WakeUps:
        """How the relay is woken."""
        ...


class SubscriptionStore(EventStore[Tx], Protocol[Tx]):
    """What a subscription works on: an event store that knows where each topic was begun."""

    @property
    def subscriptions(self) -> Subscriptions:
        """Where a group has begun to read each of its topics."""
        ...


class JobStore(SubscriptionStore[Tx], Protocol[Tx]):
    """What jobs of ops work on: an event store that knows which jobs there are."""

    @property
    def jobs(self) -> Jobs[Tx]:
        """Jobs, and the actions of ops."""
        ...


class Database(JobStore[Tx], Snapshots, Protocol[Tx]):
    """Everything that a service needs of its database."""

    @property
    def leadership(self) -> Leadership:
        """Who may read the outbox."""
        ...

    @property
    def wake_ups(self) -> WakeUps:
        """How the relay is woken."""
        ...

    async def outbox_backlog(self) -> OutboxBacklog:
        """Return what is not published yet; raise ``DatabaseUnavailable``."""
        ...

    async def check(self) -> None:
        """Raise ``DatabaseUnavailable`` unless the database answers."""
        ...

    async def close(self) -> None:
        """Close every connection."""
        ...
