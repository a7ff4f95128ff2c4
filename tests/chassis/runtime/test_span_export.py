"""A process that is stopped exports its last spans first, and does not wait long for a collector that is away."""

import asyncio
import os
import signal
import sys

from tests.otlp import collector

PROGRAM = """
import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from opentelemetry.trace import SpanKind
from chassis.runtime import span_export, tracing, worker
from chassis.runtime.settings import Settings

span_export.FLUSH_SECONDS = 0.5

async def run():
    with tracing.span("work", SpanKind.INTERNAL, {}):
        pass
    signalled = asyncio.create_task(worker._signalled())
    await asyncio.sleep(0)
    print("ready", flush=True)
    await signalled

@asynccontextmanager
async def opened():
    yield SimpleNamespace(run=run)

worker.run_worker(opened, "order_svc", Settings(kafka_bootstrap_servers="nobody:1"))
"""


async def stopped(url: str) -> int | None:
    """Run an event process that exports its spans there, and end it; its exit status."""
    env = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": url, "LOG_LEVEL": "ERROR"}
    command = (sys.executable, "-c", PROGRAM)
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
    assert process.stdout
    assert await process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    return process.returncode


async def test_a_process_that_is_stopped_exports_its_last_spans_and_waits_for_no_collector_that_is_away() -> None:
    with collector() as received:
        statuses = await asyncio.gather(*map(stopped, (received.url, "http://127.0.0.1:9")))
    assert statuses == [0, 0]
    assert [(one.service, one.name) for one in received.spans] == [("order_svc", "work")]
