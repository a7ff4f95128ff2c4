"""Answers HEAD wherever GET is answered, with the same headers and no body (RFC 9110 §9.3.2)."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

WITHOUT_CONTENT = (204, 304)
"""The statuses of responses that have neither content nor its length."""


class _Enough(OSError):
    """Ends a response of which everything that HEAD needs was sent, as if the client had gone."""


class HeadRequests:
    """Runs the route of GET for a HEAD, and leaves out the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self._app(scope, receive, send)
        # A copy: the server has to know that it answers a HEAD.
        as_get, ended = {**scope, "method": "GET"}, False

        async def send_head(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                # For those around, which count requests by route, and say what may be kept.
                scope.update({name: as_get[name] for name in ("route", "endpoint") if name in as_get})
                await send(message)
                has_length = any(name.lower() == b"content-length" for name, _ in message["headers"])
                streamed = not has_length and message["status"] not in WITHOUT_CONTENT
            else:
                streamed = message.get("more_body", False)
            if ended or (message["type"] == "http.response.start" and not streamed):
                return
            ended = True
            await send({"type": "http.response.body", "body": b""})
            if streamed:
                # A stream may have its next part in minutes, or no end.
                raise _Enough

        try:
            await self._app(as_get, receive, send_head)
        except* (_Enough, ClientDisconnect):
            # Starlette raises the latter where a stream cannot be sent, FastAPI a group from the tasks of a stream.
            if not ended:
                raise
        return None
