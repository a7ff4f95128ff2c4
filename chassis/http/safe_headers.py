"""The headers of every response by which browsers and proxies neither keep it nor guess its type.

A response is kept nowhere unless its route is marked as ``cacheable``, so that a route about which nobody has thought
is safe.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

SAFE_HEADERS: Mapping[str, str] = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""What a response has that no route makes."""
CACHE_CONTROL, NO_STORE, VARY = b"cache-control", b"no-store", b"vary"
NOSNIFF = (b"x-content-type-options", b"nosniff")


def cacheable(seconds: int) -> Callable[[Endpoint], Endpoint]:
    """Decorate the endpoint of a route that says the same to everybody: its responses may be kept for ``seconds``.

    That holds for requests without a token, and not for errors.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        # On the function itself, which is in the scope of a request: no look-up, and no dependency.
        vars(endpoint)["cache_control"] = f"public, max-age={seconds}".encode()
        return endpoint

    return mark


def is_cacheable(endpoint: object) -> bool:
    """Whether the endpoint of a route is marked so."""
    return hasattr(endpoint, "cache_control")


def with_safe_headers(scope: Scope, message: Message, *, has_token: bool) -> list[tuple[bytes, bytes]]:
    """The headers of a response, from the message that starts it (RFC 9111 §5.2.2.5).

    A ``Cache-Control`` that it has already is replaced: streams of server-sent events have a weaker one.
    """
    own = [header for header in message["headers"] if header[0] != CACHE_CONTROL]
    if has_token or message["status"] >= 400 or not is_cacheable(endpoint := scope.get("endpoint")):
        return [*own, NOSNIFF, (CACHE_CONTROL, NO_STORE)]
    allowed: bytes = vars(endpoint)["cache_control"]
    return [*_by_token(own), NOSNIFF, (CACHE_CONTROL, allowed)]


def _by_token(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With a ``Vary`` that keeps caches from giving staff what was kept for everybody, which has no numbers."""
    others = [value for name, value in headers if name == VARY]
    return [*(one for one in headers if one[0] != VARY), (VARY, b", ".join([*others, b"Authorization"]))]


class SafeHeaders:
    """An ASGI app with these headers, for apps without the middleware of the REST APIs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_safe_headers(scope, message, has_token=False)
            await send(message)

        await self._app(scope, receive, send_safely)
