"""The body of an account, and the types of fields that several bodies share."""

from datetime import datetime
from typing import Annotated
from unicodedata import category
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from chassis.http.bodies import ResponseBody
from chassis.http.examples import ID, MOMENT
from chassis.http.fields import Phone
from chassis.time_zones import is_time_zone
from customer_svc.accounts.domain import Account, AccountStatus, Role, normalised_password
from schemas.values import Text


def _encodable(secret: SecretStr) -> SecretStr:
    """Refuse lone surrogates, which cannot be hashed; ``Text`` refuses them, ``SecretStr`` does not."""
    secret.get_secret_value().encode()
    return secret


def _normalised(secret: SecretStr) -> SecretStr:
    return SecretStr(normalised_password(secret.get_secret_value()))


def _printable(secret: SecretStr) -> SecretStr:
    """Refuse control characters (RFC 8264 §9.11): few keyboards can type them, so few owners could log in."""
    if any(category(character) == "Cc" for character in secret.get_secret_value()):
        raise ValueError("a password has no control characters")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_encodable)]
Normalised = Annotated[Secret, AfterValidator(_normalised)]
Email = Annotated[EmailStr, StringConstraints(max_length=254), Field(examples=["ada@example.com"])]
NewPassword = Annotated[
    Normalised,
    AfterValidator(_printable),
    Field(
        min_length=12,
        max_length=200,
        examples=["correct horse battery"],
        description="12 to 200 characters, of which every one counts",
    ),
]
"""Its length is that of the normalised form. More characters are refused: nothing is ever cut off."""
Password = Annotated[Normalised, Field(max_length=200, examples=["correct horse battery"])]
Token = Annotated[
    Secret, Field(min_length=1, max_length=200, examples=["m3bT5hVJ0k6nEw2dQyXcRz8aLfPuGi1oKs4tHvNjB7U"])
]
Id = Annotated[UUID, Field(examples=[ID])]
Moment = Annotated[datetime, Field(examples=[MOMENT])]
Locale = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$"),
    Field(
        examples=["de"], description="ISO 639-1 language code, optionally with an ISO 3166-1 country: `de`, `de-AT`"
    ),
]


def _is_time_zone(name: str) -> str:
    if not is_time_zone(name):
        raise PydanticCustomError("unknown_time_zone", "There is no time zone of this name (IANA)")
    return name


TimeZone = Annotated[
    Text,
    Field(min_length=1, max_length=64),
    AfterValidator(_is_time_zone),
    Field(examples=["Europe/Berlin"], description="IANA name of the time zone of times in mails"),
]


class AccountOut(ResponseBody):
    """An account, without its secrets."""

    id: Id
    email: Annotated[str, Field(examples=["ada@example.com"])]
    name: Annotated[str, Field(examples=["Ada Lovelace"])]
    role: Role
    state: AccountStatus
    verified: Annotated[bool, Field(description="whether the e-mail address was verified")]
    phone: Phone | None
    locale: Locale
    marketing: Annotated[bool, Field(description="whether the customer wants advertising mails")]
    order_updates: Annotated[bool, Field(description="whether the customer wants mails about the progress of orders")]
    time_zone: Annotated[
        str | None, Field(description="of times in mails (IANA); null: UTC", examples=["Europe/Berlin"])
    ]


def account_out(account: Account) -> AccountOut:
    """The body of an account."""
    return AccountOut(
        id=account.id,
        email=account.email,
        name=account.name,
        role=account.role,
        state=account.status,
        verified=account.verified_at is not None,
        phone=account.phone,
        locale=account.locale,
        marketing=account.marketing,
        order_updates=account.order_updates,
        time_zone=account.time_zone,
    )
