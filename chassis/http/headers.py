"""The headers of answers, as the OpenAPI describes them."""

from collections.abc import Mapping
from typing import Any

from chassis.http.examples import ID

_TEXT = {"type": "string"}


def _header(
    described: str, example: Any, schema: Mapping[str, Any] = _TEXT, *, always: bool = True
) -> dict[str, Any]:
    return {"description": described, "required": always, "schema": dict(schema), "example": example}


HEADERS: Mapping[str, dict[str, Any]] = {
    "X-Request-Id": _header("The request's own `X-Request-Id`, or else a new one; logs and errors name it.", ID),
    "ETag": _header("What this is now: send it as `If-Match` with a change.", '"3"'),
    "Location": _header("Where it can be read.", f"/v1/orders/{ID}"),
    "Idempotency-Replayed": _header(
        "The key was used before: this is what came of it then.",
        "true",
        {"type": "string", "const": "true"},
        always=False,
    ),
    "Preference-Applied": _header("The answer waited, as `Prefer` asked it to.", "wait=5", always=False),
    "Content-Disposition": _header("The name of a file to keep it in.", 'attachment; filename="my-data.json"'),
    "Product-Count": _header("How many products follow.", 1200, {"type": "integer", "minimum": 0}),
    "Cache-Control": _header("Nobody may keep a stream and show it again.", "no-cache", always=False),
    "X-Accel-Buffering": _header("A proxy may not hold a stream back.", "no", always=False),
    "Vary": _header("Another `Accept` is answered in another form.", "Accept"),
    "WWW-Authenticate": _header("How to say who you are (RFC 9110 §11.6.1).", "Bearer", _TEXT | {"const": "Bearer"}),
    "Retry-After": _header(
        "After how many seconds to try again (RFC 9110 §10.2.3).", 1, {"type": "integer", "minimum": 0}
    ),
}
"""All that the services send beside what HTTP itself needs. ``required``: always, where it is named."""

EVERYWHERE = ("X-Request-Id",)
"""On every answer."""

BY_STATUS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
"""What a problem has."""


def carries(*names: str) -> dict[str, Any]:
    """The part of an answer's description that names its headers."""
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}} if names else {}


def sends(status: int, *names: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a route whose answer of this status has these headers."""
    return {status: carries(*names)}
