"""Bodies of sessions."""

from typing import Annotated, Literal

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from customer_svc.accounts.dto import Password, Token
from customer_svc.totp.dto import Code
from schemas.values import Text


class Credentials(RequestBody):
    """What a customer logs in with."""

    email: Annotated[Text, Field(max_length=254, examples=["ada@example.com"])]
    password: Password
    code: Code | None = None


class RefreshTokenIn(RequestBody):
    """The refresh token of a session."""

    refresh_token: Token


class SessionOut(ResponseBody):
    """A session.

    Send the access token as `Authorization: Bearer <access_token>`, and refresh the session before it expires.
    """

    access_token: Annotated[str, Field(examples=["eyJhbGciOiJFZDI1NTE5In0.eyJzdWIiOiIwMTliIn0.c2lnbmF0dXJl"])]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: Annotated[int, Field(description="seconds until the access token expires", examples=[900])]
    refresh_token: Annotated[
        str,
        Field(
            description="valid for one `POST /v1/sessions/refresh`; keep it secret",
            examples=["m3bT5hVJ0k6nEw2dQyXcRz8aLfPuGi1oKs4tHvNjB7U"],
        ),
    ]
    refresh_expires_in: Annotated[
        int, Field(description="seconds until the customer has to log in again", examples=[2_592_000])
    ]
