"""Wake-ups: a process that has committed events wakes the relay of its service, which may run in another process.

They are hints. A wake-up is sent after the commit, on a connection of its own, at most once a round; no transaction
waits for it, and nothing depends on it: the relay looks for itself as well, only less often.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any, Protocol

import structlog

from chassis.messaging.outbox import Outbox
from chassis.runtime.redaction import redacted

log = structlog.get_logger()

ROUND_SECONDS = 0.05
"""At most one wake-up is sent in this time. A relay that has something to do looks more often than that anyway."""
RETRY_SECONDS = 1.0

Send = Callable[[], Awaitable[None]]


class WakeUps(Protocol):
    """How the processes of a service wake its relay."""

    def sending(self) -> AbstractAsyncContextManager[Send]:
        """A connection over which wake-ups are sent."""
        ...

    def received(self) -> AsyncGenerator[None, None]:
        """Each wake-up from now on; raise when the connection is lost."""
        ...


class WakeUpStore(Protocol):
    """What wake-ups are about, and how they get there."""

    @property
    def outbox(self) -> Outbox[Any]:
        """Events to be published."""
        ...

    @property
    def wake_ups(self) -> WakeUps:
        """How the relay is woken."""
        ...


async def send_wake_ups(store: WakeUpStore) -> None:
    """Until cancelled, wake the relay when this process has committed events."""

    async def send() -> None:
        async with store.wake_ups.sending() as wake_relay:
            while True:
                await store.outbox.added.wait()
                store.outbox.added.clear()
                await wake_relay()
                await asyncio.sleep(ROUND_SECONDS)

    await _again_and_again(send)


async def receive_wake_ups(store: WakeUpStore) -> None:
    """Until cancelled, let the relay of this process look when any process of the service has committed events."""

    async def receive() -> None:
        async with aclosing(store.wake_ups.received()) as received:
            async for _ in received:
                store.outbox.added.set()

    await _again_and_again(receive)


async def _again_and_again(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - the relay finds what is there without them
            log.info("wake-ups of the relay are interrupted", why=redacted(error)[:300])
        await asyncio.sleep(RETRY_SECONDS)
