"""Accounts and how they are opened."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, SecretStr, StringConstraints

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.examples import ID, MOMENT
from chassis.http.paging import Page
from customer_svc.domain.account import Account, Role
from schemas.values import Text


def _encodable(secret: SecretStr) -> SecretStr:
    """Refuse lone surrogates: other text is checked for them, secrets are not, and they cannot be hashed."""
    secret.get_secret_value().encode()
    return secret


Secret = Annotated[SecretStr, AfterValidator(_encodable)]
Email = Annotated[EmailStr, StringConstraints(max_length=254), Field(examples=["ada@example.com"])]
NewPassword = Annotated[Secret, Field(min_length=10, max_length=200, examples=["correct horse battery"])]
Password = Annotated[Secret, Field(max_length=200, examples=["correct horse battery"])]
Token = Annotated[
    Secret, Field(min_length=1, max_length=200, examples=["m3bT5hVJ0k6nEw2dQyXcRz8aLfPuGi1oKs4tHvNjB7U"])
]
Id = Annotated[UUID, Field(examples=[ID])]
Moment = Annotated[datetime, Field(examples=[MOMENT])]
Phone = Annotated[
    str,
    StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$"),
    Field(examples=["+442079460000"], description="E.164: a plus, the country's code, the number"),
]
Name = Annotated[Text, Field(min_length=1, max_length=200, examples=["Ada Lovelace"])]
Locale = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$"),
    Field(examples=["de"], description="ISO 639-1 language, and ISO 3166-1 country where it matters: `de`, `de-AT`"),
]


class Registration(RequestBody):
    """A new customer."""

    email: Email
    password: NewPassword
    name: Name
    locale: Locale = "en"


class RegisteredOut(ResponseBody):
    """What becomes of a registration, in the same words whether or not there was an account."""

    email: Annotated[str, Field(examples=["ada@example.com"])]
    next: Literal["look_into_your_mailbox"] = "look_into_your_mailbox"


class LinkToken(RequestBody):
    """What a link in a mail ends with."""

    token: Token


class AccountOut(ResponseBody):
    """An account, without its secrets."""

    id: Id
    email: Annotated[str, Field(examples=["ada@example.com"])]
    name: Annotated[str, Field(examples=["Ada Lovelace"])]
    role: Role
    state: Literal["active", "deactivated"]
    verified: Annotated[bool, Field(description="the address was confirmed by whoever reads mail there")]
    phone: Phone | None
    locale: Locale
    marketing: Annotated[bool, Field(description="wants mails that sell something")]
    order_updates: Annotated[bool, Field(description="wants mails on the way of an order")]


class CustomersOut(Page[AccountOut, Id]):
    """A page of customers, newest first; ``next`` is the ``before`` of the page that follows, if there is one."""


def account_out(account: Account) -> AccountOut:
    """An account as its owner sees it."""
    return AccountOut(
        id=account.id,
        email=account.email,
        name=account.name,
        role=account.role,
        state="deactivated" if account.deactivated_by else "active",
        verified=account.verified_at is not None,
        phone=account.phone,
        locale=account.locale,
        marketing=account.marketing,
        order_updates=account.order_updates,
    )
