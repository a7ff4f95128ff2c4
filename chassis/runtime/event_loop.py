"""The event loop of event processes: uvloop, with connections to Kafka that behave as asyncio's do.

Where a connection is closed already, asyncio ignores a write, and uvloop raises ``RuntimeError``. aiokafka (checked
with 0.14.0) relies on the first: with the error its tasks end silently. The end of the connection is reported to it
in another way anyhow.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import uvloop
from aiokafka.conn import AIOKafkaProtocol


class ForgivingTransport:
    """A transport that ignores writes when it is closed; everything else is the transport's own."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send, unless the connection is closed."""
        try:
            self._transport.write(data)
        except RuntimeError:
            if not self._transport.is_closing():
                raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class EventLoop(uvloop.Loop):
    """uvloop; connections to Kafka ignore writes when they are closed."""

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], asyncio.BaseProtocol], *args: Any, **options: Any
    ) -> tuple[Any, asyncio.BaseProtocol]:
        """Open a connection, as asyncio's method does."""
        transport, protocol = await super().create_connection(protocol_factory, *args, **options)
        if isinstance(protocol, AIOKafkaProtocol):
            return ForgivingTransport(transport), protocol
        return transport, protocol
