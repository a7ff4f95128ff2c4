"""The event process of a service: its consumer, its relay and its periodic loops, with health and metrics.

If any of them fails, the whole process ends, non-zero and with a log line; its supervisor starts it again.
SIGTERM and SIGINT end it in order: no new batch, the current one rolled back or committed, then exit.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import structlog

from chassis.messaging.broker_monitor import BrokerMonitor
from chassis.messaging.consumer import Consumer
from chassis.messaging.relay import Relay
from chassis.messaging.store_gauges import Refresh, StoreGauges, keep_gauges
from chassis.messaging.subscription import Subscription
from chassis.persistence.database import Database
from chassis.persistence.errors import DatabaseUnavailable
from chassis.runtime import failpoints, gc_tuning
from chassis.runtime.background import ended
from chassis.runtime.event_loop import EventLoop
from chassis.runtime.health import health_endpoints, operations_app
from chassis.runtime.server import http_limits, serving_operations
from chassis.runtime.settings import Settings
from chassis.runtime.telemetry import configure_logging
from chassis.runtime.tracing import exporting_spans

log = structlog.get_logger()

Loop = Callable[[], Coroutine[Any, Any, None]]


@dataclass
class EventProcess:
    """The parts of one event process."""

    service: str
    settings: Settings
    database: Database[Any]
    consumer: Consumer[Any] | None = None
    loops: Sequence[Loop] = field(default_factory=tuple)
    gauges: Sequence[Refresh] = field(default_factory=tuple)
    """Set the service's own gauges, every some seconds."""

    async def run(self) -> None:
        """Run all tasks until a signal arrives (return) or one of them fails (raise)."""
        kafka, prefix = self.settings.kafka_bootstrap_servers, self.settings.kafka_prefix
        subscription = Subscription(self.consumer, kafka, prefix) if self.consumer else None
        brokers = BrokerMonitor(kafka, prefix, self.service, self.consumer.topics if self.consumer else ())
        parts = [Relay(self.database, kafka, prefix).run, self._keep_gauges, brokers.run, *self.loops]
        if subscription:
            parts.append(subscription.run)
        async with self._operations(subscription, brokers), _running(parts) as tasks:
            stopping = asyncio.create_task(_signalled(), name="signal")
            done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            for task in done - {stopping}:
                task.result()
                raise RuntimeError(f"{task.get_name()} ended by itself")

    async def _keep_gauges(self) -> None:
        own = StoreGauges(self.database, self.service)
        await keep_gauges([own.count_letters, own.measure_outbox, *self.gauges])

    def _operations(
        self, subscription: Subscription | None, brokers: BrokerMonitor
    ) -> AbstractAsyncContextManager[None]:
        async def consumes() -> None:
            if subscription and not subscription.assigned.is_set():
                raise DatabaseUnavailable("waiting for the consumer group")
            await brokers.check()

        endpoints = health_endpoints(self.service, {"database": self.database.check, "kafka": consumes})
        address = self.settings.host, self.settings.port
        return serving_operations(operations_app(endpoints), http_limits(self.settings), *address)


def run_worker(
    open_process: Callable[[], AbstractAsyncContextManager[EventProcess]], service: str, settings: Settings
) -> NoReturn:
    """Run an event process, and end this process: status 0 after a signal, 1 after a failure."""
    configure_logging(service, settings.log_level, settings.log_format)
    failpoints.arm(settings.failpoints)

    async def main() -> None:
        async with open_process() as process:
            gc_tuning.freeze_startup_objects()
            await process.run()

    status = 0
    try:
        with exporting_spans(service, settings):
            EventLoop().run_until_complete(main())
        log.info("event process stopped")
    except Exception:
        log.exception("event process failed")
        status = 1
    # Not asyncio.run: it would wait for tasks that Faust leaves behind when the broker is unavailable.
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
        # In reverse order: what a task depends on (a group commit, the relay) outlives it.
        for task in reversed(tasks):
            await ended(task)
