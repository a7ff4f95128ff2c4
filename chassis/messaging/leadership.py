"""Leadership: of all event processes of a service, one is the relay."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from chassis.messaging.outbox import OutboxReader


class Leadership(Protocol):
    """Who may read the outbox."""

    def lead(self) -> AbstractAsyncContextManager[OutboxReader]:
        """Wait until this process is the leader, then give it the outbox; give up leadership at the end."""
        ...
