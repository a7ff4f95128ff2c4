"""Compresses long responses to GET for clients that accept gzip.

Only to GET: what is written gets short responses, and those to POST may have a token beside what the client has sent,
which the length of a compressed response would reveal (BREACH).
"""

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.http.content_negotiation import prefers

SHORTEST = 1400
"""Bytes of the shortest response that is compressed: what is shorter travels in one packet as it is."""
LEVEL = 5
"""Of zlib: beyond, JSON becomes hardly shorter, and takes longer."""


class CompressedResponses:
    """Starlette's compression, which flushes streams chunk by chunk and leaves server-sent events as they are.

    Its middleware looks for the word alone, and would compress for ``gzip;q=0``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self._app(scope, receive, send)
        accepted = ",".join(Headers(scope=scope).getlist("accept-encoding"))
        if prefers(accepted, "gzip", "identity"):
            return await GZipResponder(self._app, SHORTEST, LEVEL)(scope, receive, send)
        # Says in ``Vary`` that others get it compressed.
        return await IdentityResponder(self._app, SHORTEST)(scope, receive, send)
