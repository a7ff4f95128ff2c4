"""Takes the names that the cursors of lists had in 0.2.0, ``before`` and ``after``, for ``cursor``.

Clients of 0.2.0 send them, and so do processes of 0.2.0 to those of today while they work side by side. To be removed
in the version after the next.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

OLD_NAMES = re.compile(rb"(?:^|(?<=&))(?:before|after)(?==)")


class OldCursors:
    """Renames them in the query of a request. No route has another parameter of such a name."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "http" and scope["query_string"]:
            # In place: those around read from the same scope which route it was.
            scope["query_string"] = OLD_NAMES.sub(b"cursor", scope["query_string"])
        await self._app(scope, receive, send)
