"""Response headers, as the OpenAPI documents them."""

from collections.abc import Mapping
from typing import Any

from chassis.http.examples import ID

_TEXT = {"type": "string"}


def _header(
    described: str, example: Any, schema: Mapping[str, Any] = _TEXT, *, always: bool = True
) -> dict[str, Any]:
    return {"description": described, "required": always, "schema": dict(schema), "example": example}


HEADERS: Mapping[str, dict[str, Any]] = {
    "X-Request-Id": _header("The request's own `X-Request-Id`, or a new one; logs and errors contain it.", ID),
    "ETag": _header(
        "The version, and in responses to GET a digest of the body behind a dot. Send it as `If-Match` with a change,"
        " or as `If-None-Match` to read again only what is different.",
        '"3"',
    ),
    "Location": _header("The URL of the resource.", f"/v1/orders/{ID}"),
    "Idempotency-Replayed": _header(
        "The key was used before: this is the first response again.",
        "true",
        {"type": "string", "const": "true"},
        always=False,
    ),
    "Preference-Applied": _header("The preference that was applied.", "wait=5", always=False),
    "Content-Disposition": _header("A file name to save it under.", 'attachment; filename="my-data.json"'),
    "Product-Count": _header("How many products follow.", 1200, {"type": "integer", "minimum": 0}),
    "X-Content-Type-Options": _header(
        "Browsers must not guess another type.", "nosniff", _TEXT | {"const": "nosniff"}
    ),
    "Cache-Control": _header(
        "`no-store`, or for how many seconds what is the same for everybody may be kept.", "no-store"
    ),
    "X-Accel-Buffering": _header("A proxy must not buffer a stream.", "no", always=False),
    "Vary": _header(
        "Requests that differ in these headers can get another response.",
        "Accept-Encoding, Authorization",
        always=False,
    ),
    "WWW-Authenticate": _header("How to authenticate (RFC 9110 §11.6.1).", "Bearer", _TEXT | {"const": "Bearer"}),
    "Accept": _header("The media type that a body must have (RFC 9110 §12.5.1).", "application/json", always=False),
    "Accept-Encoding": _header(
        "How a body may be encoded (RFC 9110 §12.5.3).", "gzip", _TEXT | {"const": "gzip"}, always=False
    ),
    "Retry-After": _header(
        "Seconds to wait before trying again (RFC 9110 §10.2.3).", 1, {"type": "integer", "minimum": 0}
    ),
}
"""The headers that the services send beside those of HTTP itself. ``required``: wherever it is documented."""

EVERYWHERE = ("X-Request-Id", "X-Content-Type-Options", "Cache-Control", "Vary")
"""On every response, the last one only where it matters."""

BY_STATUS: Mapping[int, tuple[str, ...]] = {
    401: ("WWW-Authenticate",),
    415: ("Accept", "Accept-Encoding"),
    429: ("Retry-After",),
    503: ("Retry-After",),
}
"""Status of an error → its headers."""


def carries(*names: str) -> dict[str, Any]:
    """The part of a response's description that names its headers."""
    return {"headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names}} if names else {}


def sends(status: int, *names: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a route whose response of this status has these headers."""
    return {status: carries(*names)}
