"""The errors that a client can get, as problem details (RFC 9457)."""

from collections.abc import Mapping
from typing import Any, ClassVar


class ShopError(Exception):
    """Something went wrong on our side."""

    # The docstring of a subclass is its default message; status and code are part of the API.
    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    example: ClassVar[Mapping[str, Any]] = {}
    """Further members of the problem, for the OpenAPI."""

    def __init__(self, detail: str | None = None, /, **extra: Any) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.extra = extra
        super().__init__(self.detail)


class MalformedHttp(ShopError):
    """This is not a request of HTTP/1.1."""

    status, code = 400, "malformed_http"


class RequestTimeout(ShopError):
    """The request did not arrive in time; send it again."""

    status, code = 408, "request_timeout"


class HeadersTooLarge(ShopError):
    """The headers of the request are larger than this service accepts."""

    status, code = 431, "headers_too_large"
    example: ClassVar[Mapping[str, Any]] = {"limit": 32768}


class Unauthenticated(ShopError):
    """A valid access token is needed: send it as "Authorization: Bearer <token>"."""

    status, code = 401, "unauthenticated"


class Forbidden(ShopError):
    """Your role does not allow this."""

    status, code = 403, "forbidden"


class EmailNotVerified(Forbidden):
    """The e-mail address of your account is not verified: use the link in the mail, then log in again."""

    code = "email_not_verified"


class NotFound(ShopError):
    """The resource does not exist."""

    status, code = 404, "not_found"


class Conflict(ShopError):
    """The request contradicts the current state."""

    status, code = 409, "conflict"


class BodyTooLarge(ShopError):
    """The request body is larger than this service accepts."""

    status, code = 413, "body_too_large"
    example: ClassVar[Mapping[str, Any]] = {"limit": 262144}


class UnsupportedEncoding(ShopError):
    """The request body has a Content-Encoding that this service does not know: send it as it is, or with gzip."""

    status, code = 415, "unsupported_encoding"


class UnsupportedMediaType(ShopError):
    """The request body has a Content-Type that this route does not take; "accepted" is the one that it takes."""

    status, code = 415, "unsupported_media_type"
    example: ClassVar[Mapping[str, Any]] = {"accepted": "application/json"}


class MalformedRequest(ShopError):
    """The request does not match the API description; "errors" names the places."""

    status, code = 422, "malformed_request"
    example: ClassVar[Mapping[str, Any]] = {
        "errors": [
            {
                "where": "query/limit",
                "what": "Must be at least 1",
                "type": "greater_than_equal",
            }
        ]
    }


class IdempotencyKeyReused(ShopError):
    """This Idempotency-Key was used with another body."""

    status, code = 422, "idempotency_key_reused"


class Unavailable(ShopError):
    """The service cannot reach its database right now; try again shortly."""

    status, code = 503, "unavailable"


class Overloaded(ShopError):
    """This process works on as many requests as it can; try again shortly."""

    status, code = 503, "overloaded"


class OutcomeUnknown(ShopError):
    """The connection to the database broke during the commit: the change may or may not have been made.

    Repeat the request with the same Idempotency-Key, or read the resource first.
    """

    status, code = 503, "outcome_unknown"


def problem(status: int, code: str, detail: str, **extra: Any) -> dict[str, Any]:
    """The body of ``application/problem+json``; ``code`` is stable, ``detail`` is for people."""
    title = code.replace("_", " ").capitalize()
    return {
        "type": f"urn:shopstream:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        **extra,
    }
