"""Logging in."""

from typing import Annotated, Literal

from pydantic import Field

from chassis.rest import Answer, Body
from customer_svc.dto.accounts import Password
from schemas.values import Text


class Credentials(Body):
    """What one logs in with."""

    email: Annotated[Text, Field(max_length=254, examples=["ada@example.com"])]
    password: Password


class SessionOut(Answer):
    """A session: send the token as ``Authorization: Bearer <access_token>``."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: Annotated[int, Field(description="seconds")]
