"""HTTP connections with bounds: on the size of headers, on the time a request takes to arrive, on their number.

The adapter to what uvicorn does not offer: without it, one connection that sends 48 MiB of headers costs 760 MiB of
memory, and connections that send half a request stay open for ever. It overrides callbacks of uvicorn's
``HttpToolsProtocol``, and costs a request a few dictionary operations and looks at the clock. Checked with uvicorn
0.54 and httptools 0.9; ``tests/chassis/runtime/test_bounded_http.py`` fails where other versions behave differently.
"""

import asyncio
import resource
from dataclasses import dataclass
from typing import Any

import orjson
from prometheus_client import Counter
from uuid_utils.compat import uuid7
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from chassis.http.errors import HeadersTooLarge, MalformedHttp, Overloaded, RequestTimeout, ShopError, problem
from chassis.http.safe_headers import SAFE_HEADERS

MAX_HEADER_BYTES = 32 * 1024
"""Of the target, the names and the values; a request with more gets 431."""
MAX_PIPELINED = 16
"""Requests that a connection can send before it has the response to the first."""
HELD_UP_SECONDS = 30.0
"""A client that takes nothing of its response for so long is disconnected."""
FILES_IN_RESERVE = 128
"""Files and connections that the process itself opens."""

REFUSED = Counter("shop_http_refused", "Requests and connections refused before they reached a route", ["code"])


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """How many ``connections`` a process serves at once, and the seconds in which a request has to arrive."""

    connections: int
    header_seconds: float
    body_seconds: float

    def within_open_files(self) -> "HttpLimits":
        """With fewer connections where the process can open fewer files (``ulimit -n``)."""
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        possible = max(files - FILES_IN_RESERVE, 1) if files != resource.RLIM_INFINITY else self.connections
        return HttpLimits(min(self.connections, possible), self.header_seconds, self.body_seconds)


class _Refused(Exception):
    """Ends the parsing of a request that has been refused."""


class BoundedState(ServerState):
    """The connections of a server. Those that wait for a request, or for the rest of one, give way to new ones."""

    def __init__(self, limits: HttpLimits) -> None:
        super().__init__()
        self.limits = limits.within_open_files()
        self.waiting: dict[BoundedProtocol, None] = {}
        """The longest wait first."""

    def make_room(self) -> bool:
        """Whether one more connection can be served; if need be, drop the one that has waited longest."""
        if len(self.connections) < self.limits.connections:
            return True
        for oldest in self.waiting:
            del self.waiting[oldest]
            REFUSED.labels("displaced").inc()
            oldest.transport.abort()
            return True
        return False

    def expire(self, now: float) -> None:
        """End the connections whose time is up. One look at all now and then costs less than a timer for each."""
        for connection in list(self.connections):
            if isinstance(connection, BoundedProtocol):
                connection.expire(now)


class BoundedProtocol(HttpToolsProtocol):
    """A connection. Its server's state has to be a ``BoundedState``."""

    server_state: BoundedState

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._limits = self.server_state.limits
        self._header_bytes = 0
        """Received since the last request was complete; exact where it exceeds the limit."""
        self._in_body = False
        self._deadline: float | None = None
        """When what is being received has to be complete; None while a response is made."""
        self._held_up_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Serve a connection, or refuse it."""
        has_room = self.server_state.make_room()
        super().connection_made(transport)
        if not has_room:
            self._refuse(Overloaded())
            return
        self._deadline = self.loop.time() + self._limits.header_seconds
        self.server_state.waiting[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.server_state.waiting.pop(self, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, and count what belongs to headers: the parser itself collects a header of any length."""
        if self._deadline is None:
            self._deadline = self.loop.time() + self._limits.header_seconds
        if not self._in_body:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._header_bytes > MAX_HEADER_BYTES and not self._in_body and not self.transport.is_closing():
            self._refuse(HeadersTooLarge(limit=MAX_HEADER_BYTES))

    def on_headers_complete(self) -> None:
        """Begin the request, unless its headers are too large."""
        if self._header_bytes > MAX_HEADER_BYTES and self._size_of_headers() > MAX_HEADER_BYTES:
            self._refuse(HeadersTooLarge(limit=MAX_HEADER_BYTES))
            raise _Refused
        if len(self.pipeline) >= MAX_PIPELINED:
            self._refuse(Overloaded())
            raise _Refused
        self._header_bytes, self._in_body = 0, True
        self._deadline = self.loop.time() + self._limits.body_seconds
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request has arrived."""
        self._in_body = False
        if self.cycle.response_complete:
            # It was answered before: from now on, the connection waits for the next.
            self._deadline = self.loop.time() + self._limits.header_seconds
        else:
            self._deadline = None
            self.server_state.waiting.pop(self, None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless that is there already."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self.server_state.waiting[self] = None

    def send_400_response(self, _msg: str) -> None:
        """Answer what is no HTTP, unless it has been answered."""
        if not self.transport.is_closing():
            REFUSED.labels(MalformedHttp.code).inc()
            self.transport.write(_response(MalformedHttp()))
            self.transport.close()

    def pause_writing(self) -> None:
        """The client takes nothing for now."""
        self._held_up_since = self.loop.time()
        super().pause_writing()

    def expire(self, now: float) -> None:
        """End the connection if its time is up."""
        if self.transport.is_closing() or self.flow.write_paused:
            self._held_up_since = self._held_up_since or now
            if now - self._held_up_since > HELD_UP_SECONDS:
                self.transport.abort()
            return
        self._held_up_since = None
        if self._deadline is not None and now > self._deadline:
            if self._in_body or self._header_bytes:
                self._refuse(RequestTimeout())
            else:
                self.transport.close()

    def _size_of_headers(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self, error: ShopError) -> None:
        """Answer with an error, where no response is on its way, and close the connection."""
        REFUSED.labels(error.code).inc()
        idle = self.cycle is None or self.cycle.response_complete
        if idle or (self._in_body and not self.cycle.response_started and not self.pipeline):
            self.transport.write(_response(error))
        if not idle:
            # What the route would answer comes too late.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.server_state.waiting.pop(self, None)
        self.transport.close()


def _response(error: ShopError) -> bytes:
    request_id = str(uuid7())
    body = orjson.dumps(problem(error.status, error.code, error.detail, request_id=request_id, **error.extra))
    headers = {
        "content-type": "application/problem+json",
        "content-length": str(len(body)),
        "x-request-id": request_id,
        **SAFE_HEADERS,
        "connection": "close",
        **({"retry-after": "1"} if error.status == Overloaded.status else {}),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return STATUS_LINE[error.status] + lines.encode() + b"\r\n" + body
