"""Bodies of password changes and resets."""

from chassis.http.bodies import RequestBody
from customer_svc.accounts.dto import Email, NewPassword, Password, Token


class PasswordChange(RequestBody):
    """A new password for your own account."""

    current_password: Password
    new_password: NewPassword


class PasswordResetRequest(RequestBody):
    """The e-mail address of the account."""

    email: Email


class PasswordReset(RequestBody):
    """A new password, and the token of a mailed link."""

    token: Token
    new_password: NewPassword
