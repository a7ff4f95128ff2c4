"""Bodies of registration and e-mail verification."""

from typing import Annotated, Literal

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.fields import Name
from customer_svc.accounts.dto import Email, Locale, NewPassword, Token


class Registration(RequestBody):
    """A new customer."""

    email: Email
    password: NewPassword
    name: Name
    locale: Locale = "en"


class RegisteredOut(ResponseBody):
    """The response to a registration; it is the same whether or not there already was an account."""

    email: Annotated[str, Field(examples=["ada@example.com"])]
    next: Literal["look_into_your_mailbox"] = "look_into_your_mailbox"


class OwnerIn(RequestBody):
    """The name and password of the account from now on, in place of those in any registration."""

    name: Name
    password: NewPassword


class EmailVerification(RequestBody):
    """The token of a mailed link; ``owner`` is needed if the address was registered more than once."""

    token: Token
    owner: OwnerIn | None = None
