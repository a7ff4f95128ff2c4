"""Logging in, and passwords."""

from typing import Annotated, Literal

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from customer_svc.dto.accounts import Email, NewPassword, Password, Token
from schemas.values import Text


class Credentials(RequestBody):
    """What one logs in with."""

    email: Annotated[Text, Field(max_length=254, examples=["ada@example.com"])]
    password: Password


class Refresh(RequestBody):
    """The refresh token of a session."""

    refresh_token: Token


class SessionOut(ResponseBody):
    """A session: send the token as ``Authorization: Bearer <access_token>``, and get the next before it ends."""

    access_token: Annotated[str, Field(examples=["eyJhbGciOiJFZDI1NTE5In0.eyJzdWIiOiIwMTliIn0.c2lnbmF0dXJl"])]
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: Annotated[int, Field(description="seconds", examples=[900])]
    refresh_token: Annotated[
        str,
        Field(
            description="good for one `POST /v1/sessions/refresh`; keep it secret",
            examples=["m3bT5hVJ0k6nEw2dQyXcRz8aLfPuGi1oKs4tHvNjB7U"],
        ),
    ]
    refresh_expires_in: Annotated[
        int, Field(description="seconds until one has to log in again", examples=[2_592_000])
    ]


class KeyOut(ResponseBody):
    """A public key (RFC 8037)."""

    kid: Annotated[str, Field(examples=["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"])]
    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    x: Annotated[str, Field(examples=["11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])]
    use: Literal["sig"]
    alg: Literal["Ed25519"]


class KeysOut(ResponseBody):
    """The public keys that access tokens are checked with."""

    keys: list[KeyOut]


class PasswordChange(RequestBody):
    """Another password for one's own account."""

    current_password: Password
    new_password: NewPassword


class Forgotten(RequestBody):
    """Whose password is forgotten."""

    email: Email


class PasswordReset(RequestBody):
    """Another password, with the link of a mail."""

    token: Token
    new_password: NewPassword
