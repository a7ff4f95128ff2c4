"""Which form of an answer a request wants, where there is more than one (RFC 9110 §12.5.1)."""

from collections.abc import Callable

from fastapi import Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.types import Scope

JSON, EVENTS = "application/json", "text/event-stream"


class Streamed(APIRoute):
    """A route that is there only for those who would rather have server-sent events than JSON.

    The route of the same path that answers with JSON comes after it, and describes both.
    """

    @property
    def label(self) -> str:
        """What it is counted as: it takes as long as its readers like, and JSON does not."""
        return f"{self.path} {EVENTS}"

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette asks every route until one says yes."""
        match, child = super().matches(scope)
        if match is not Match.NONE and not prefers(",".join(Headers(scope=scope).getlist("accept")), EVENTS):
            return Match.NONE, {}
        return match, child


def varies(response: Response) -> None:
    """A dependency of all routes of such a path: caches keep the forms apart (RFC 9110 §12.5.5)."""
    response.headers["Vary"] = "Accept"


def prefers(accept: str, form: str, default: str = JSON) -> bool:
    """Does a request with this ``Accept`` want ``form`` more than what it would get otherwise?

    What is no ``Accept`` wants nothing in particular.
    """
    weight = _weights(accept)
    return weight(form) > weight(default)


def _weights(accept: str) -> Callable[[str], float]:
    told: dict[str, float] = {}
    for part in accept.split(",")[:20]:
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        told[kind] = next((_quality(word[2:]) for word in parameters if word.startswith("q=")), 1.0)

    def weight(form: str) -> float:
        # The most specific counts, whatever else would do.
        kinds = (form, f"{form.partition('/')[0]}/*", "*/*")
        return next((told[kind] for kind in kinds if kind in told), 0.0)

    return weight


def _quality(told: str) -> float:
    # A plain look at the characters: float() would take "nan", "1e9" and digits of other scripts.
    return float(told) if told.replace(".", "", 1).isdecimal() and told.isascii() else 0.0
