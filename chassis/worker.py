"""The event process of a service: its consumer, its relay and its own loops, with health and metrics.

Any of them failing ends the whole process, non-zero and with a log line; whoever supervises it starts it
again. SIGTERM and SIGINT end it in order: no new batch, the one in hand undone or committed, then out.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from chassis import faults, heap
from chassis.consumer import Consumer
from chassis.database import Away, Database
from chassis.health import health_endpoints
from chassis.relay import Relay
from chassis.settings import Settings
from chassis.stream import Subscription
from chassis.telemetry import configure_logging

log = structlog.get_logger()

Loop = Callable[[], Coroutine[Any, Any, None]]

EventLoop = asyncio.SelectorEventLoop
"""Not uvloop: that raises where something is written to a connection that is gone, where asyncio keeps quiet.

aiokafka relies on the quiet; with the error its fetcher ends, without a word to anybody.
"""

INSIST_SECONDS = 8.0
"""A part that has not ended by then is cancelled once more; longer than any takes to finish what it has in hand."""


@dataclass
class EventProcess:
    """The parts of one event process."""

    service: str
    settings: Settings
    database: Database[Any]
    consumer: Consumer[Any] | None = None
    loops: Sequence[Loop] = field(default_factory=tuple)

    async def run(self) -> None:
        """Run all parts until a signal comes (return) or one of them fails (raise)."""
        kafka, prefix = self.settings.kafka_bootstrap_servers, self.settings.kafka_prefix
        subscription = Subscription(self.consumer, kafka, prefix) if self.consumer else None
        parts = [Relay(self.database, kafka, prefix).run, *self.loops]
        if subscription:
            parts.append(subscription.run)
        async with _http(self._health(subscription), self.settings), _running(parts) as tasks:
            stopping = asyncio.create_task(_signalled(), name="signal")
            done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            for task in done - {stopping}:
                task.result()
                raise RuntimeError(f"{task.get_name()} ended by itself")
        await self.database.close()

    def _health(self, subscription: Subscription | None) -> Starlette:
        async def assigned() -> None:
            if subscription and not subscription.assigned.is_set():
                raise Away("waiting for the consumer group")

        endpoints = health_endpoints(self.service, {"database": self.database.check, "kafka": assigned})
        return Starlette(routes=[Route(path, endpoint) for path, endpoint in endpoints.items()])


def run_worker(build: Callable[[], Coroutine[Any, Any, EventProcess]], service: str, settings: Settings) -> NoReturn:
    """Build an event process, run it, and end this process: status 0 after a signal, 1 when a part failed."""
    configure_logging(service, settings.log_level, settings.log_format)
    faults.arm(settings.faults)

    async def main() -> None:
        process = await build()
        heap.settle()
        await process.run()

    status = 0
    try:
        EventLoop().run_until_complete(main())
        log.info("event process stopped")
    except Exception:
        log.exception("event process failed")
        status = 1
    # Not asyncio.run: what Faust leaves behind when the broker is away would be waited for, and nothing of it
    # is needed any more.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


async def _signalled() -> None:
    received = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, received.set)
    await received.wait()


@asynccontextmanager
async def _running(parts: Sequence[Loop]) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(part(), name=part.__qualname__) for part in parts]
    try:
        yield tasks
    finally:
        # Last come, first gone: what a part leans on (a group commit, the relay) outlives it.
        for task in reversed(tasks):
            await ended(task)


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended, whatever it ends with."""
    while not task.done():
        task.cancel()
        # Libraries that wait with wait_for lose a cancellation at times, before Python 3.12.
        await asyncio.wait([task], timeout=INSIST_SECONDS)
    await asyncio.gather(task, return_exceptions=True)


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: the process has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _http(app: Starlette, settings: Settings) -> AsyncIterator[None]:
    config = uvicorn.Config(app, settings.host, settings.port, log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    serving = asyncio.create_task(server.serve(), name="http")
    try:
        yield
    finally:
        server.should_exit = True
        await serving
