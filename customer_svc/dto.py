"""The bodies of customer_svc's REST API."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, SecretStr, StringConstraints

from chassis.rest import Answer, Body
from customer_svc.domain import Account, Role
from schemas.values import Text


def _encodable(secret: SecretStr) -> SecretStr:
    """Refuse lone surrogates: other text is checked for them, secrets are not, and they cannot be hashed."""
    secret.get_secret_value().encode()
    return secret


Secret = Annotated[SecretStr, AfterValidator(_encodable)]
Email = Annotated[EmailStr, StringConstraints(max_length=254), Field(examples=["ada@example.com"])]
Password = Annotated[Secret, Field(min_length=10, max_length=200, examples=["correct horse battery"])]


class Registration(Body):
    """A new customer."""

    email: Email
    password: Password
    name: Annotated[Text, Field(min_length=1, max_length=200, examples=["Ada Lovelace"])]


class Credentials(Body):
    """What one logs in with."""

    email: Annotated[Text, Field(max_length=254, examples=["ada@example.com"])]
    password: Annotated[Secret, Field(max_length=200, examples=["correct horse battery"])]


class AccountOut(Answer):
    """An account, without its secrets."""

    id: UUID
    email: str
    name: str
    role: Role


class SessionOut(Answer):
    """A session: send the token as ``Authorization: Bearer <access_token>``."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in: Annotated[int, Field(description="seconds")]


def account_out(account: Account) -> AccountOut:
    """An account as its owner sees it."""
    return AccountOut(id=account.id, email=account.email, name=account.name, role=account.role)
