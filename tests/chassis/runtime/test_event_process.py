"""What runs in every event process, whatever its service has besides."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from chassis.runtime import worker
from chassis.runtime.settings import Settings
from chassis.runtime.worker import EventProcess, Loop


class Started(Exception):
    """Ends the process before its parts do anything."""


async def test_an_event_process_relays_measures_its_store_and_watches_the_brokers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Loop] = []

    @asynccontextmanager
    async def running(parts: Sequence[Loop]) -> AsyncIterator[None]:
        started.extend(parts)
        raise Started
        yield

    monkeypatch.setattr(EventProcess, "_operations", lambda *_: nullcontext())
    monkeypatch.setattr(worker, "_running", running)
    database: Any = SimpleNamespace(check=None)
    with pytest.raises(Started):
        await EventProcess("order_svc", Settings(kafka_bootstrap_servers="nobody:1"), database).run()
    assert [part.__qualname__ for part in started] == ["Relay.run", "EventProcess._keep_gauges", "BrokerMonitor.run"]
