"""Content negotiation: which media type of a response a request prefers (RFC 9110 §12.5.1)."""

from collections.abc import Callable

from fastapi import Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

JSON, EVENTS, OCTETS = "application/json", "text/event-stream", "application/octet-stream"


class EventStreamRoute(APIRoute):
    """A route that matches only requests that prefer server-sent events to JSON.

    The route of the same path that returns JSON comes after it, and documents both.
    """

    @property
    def label(self) -> str:
        """Its name in the metrics: a stream lasts as long as its reader stays, and JSON does not."""
        return f"{self.path} {EVENTS}"

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette tries every route until one matches."""
        match, child = super().matches(scope)
        if match is not Match.NONE and not prefers(",".join(Headers(scope=scope).getlist("accept")), EVENTS):
            return Match.NONE, {}
        return match, child


def vary_by_accept(response: Response) -> None:
    """A dependency of all routes of such a path: caches keep the media types apart (RFC 9110 §12.5.5)."""
    response.headers["Vary"] = "Accept"


def prefers(accept: str, media_type: str, default: str = JSON) -> bool:
    """Whether a request with this ``Accept`` prefers ``media_type`` to the default.

    A malformed ``Accept`` prefers nothing.
    """
    weight = _weights(accept)
    return weight(media_type) > weight(default)


def _weights(accept: str) -> Callable[[str], float]:
    weights: dict[str, float] = {}
    for part in accept.split(",")[:20]:
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        weights[kind] = next((_quality(word[2:]) for word in parameters if word.startswith("q=")), 1.0)

    def weight(media_type: str) -> float:
        # The most specific range counts.
        ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
        return next((weights[kind] for kind in ranges if kind in weights), 0.0)

    return weight


def _quality(text: str) -> float:
    # Character by character: float() would accept "nan", "1e9" and digits of other scripts.
    return float(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else 0.0
