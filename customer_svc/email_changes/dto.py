"""Bodies of changes of the e-mail address."""

from typing import Annotated

from pydantic import AfterValidator

from chassis.email_address import normalised_email
from chassis.http.bodies import RequestBody
from customer_svc.accounts.dto import Email, NewPassword, Password, Token
from customer_svc.totp.dto import Code


class EmailChange(RequestBody):
    """The new address, and the password, so that an unlocked device is not enough."""

    email: Annotated[Email, AfterValidator(normalised_email)]
    password: Password
    code: Code | None = None


class EmailChangeConfirmation(RequestBody):
    """The token of the link that was mailed to the new address."""

    token: Token


class EmailChangeReversal(RequestBody):
    """The token of the link that was mailed to the old address, and the password of the account from now on."""

    token: Token
    new_password: NewPassword
