"""The errors that a client of customer_svc can get."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, Forbidden, NotFound, ShopError, Unauthenticated, Unavailable


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is wrong, or the address is not verified yet: use the link in the mail."""

    code = "wrong_credentials"


class WrongPassword(Forbidden):
    """The current password is wrong."""

    code = "wrong_password"


class RefreshTokenInvalid(Unauthenticated):
    """The refresh token is not valid; log in again."""

    code = "refresh_token_invalid"


class WrongCode(Unauthenticated):
    """The one-time code or recovery code is wrong, has expired or was used before."""

    code = "wrong_code"


class TotpRequired(Unauthenticated):
    """The account is protected by one-time codes: send one as "code", or a recovery code."""

    code = "totp_required"


class TotpEnrolmentRequired(Forbidden):
    """Accounts with your role need one-time codes: enrol at POST /v1/totp/enrolments, and log in with a code."""

    code = "totp_enrolment_required"


class TooManyAttempts(ShopError):
    """Too many attempts; try again later ("Retry-After" says when)."""

    status, code = 429, "too_many_attempts"
    example: ClassVar[Mapping[str, Any]] = {"retry_after": 30}


class CustomerNotFound(NotFound):
    """The customer does not exist."""

    code = "customer_not_found"


class AccountNotFound(NotFound):
    """The account does not exist."""

    code = "account_not_found"


class StaffAccountNotFound(NotFound):
    """There is no account of staff or ops with this id."""

    code = "staff_account_not_found"


class AddressNotFound(NotFound):
    """You have no such address."""

    code = "address_not_found"


class ErasureNotFound(NotFound):
    """The erasure does not exist."""

    code = "erasure_not_found"


class TooManyAddresses(Conflict):
    """You have the maximum number of addresses; remove one first."""

    code = "too_many_addresses"


class AccountDeactivated(Conflict):
    """The account is deactivated."""

    code = "account_deactivated"


class AlreadyDeactivated(Conflict):
    """The account is already deactivated."""

    code = "already_deactivated"


class AlreadyActive(Conflict):
    """The account is already active."""

    code = "already_active"


class EmailUnchanged(Conflict):
    """The account has this e-mail address already."""

    code = "email_unchanged"


class LastOpsAccount(Conflict):
    """This is the last active account of ops; nobody could reactivate it."""

    code = "last_ops_account"


class TotpEnrolled(Conflict):
    """The account is protected by one-time codes already; remove them first."""

    code = "totp_enrolled"


class TotpNotEnrolled(Conflict):
    """The account has no one-time codes; enrol first."""

    code = "totp_not_enrolled"


class LinkInvalid(Conflict):
    """The link cannot be used: it was used before, has expired, was replaced, or does not exist."""

    code = "link_invalid"


class RegistrationContested(Conflict):
    """The address was registered more than once; send the name and password of the account as "owner"."""

    code = "registration_contested"


class ExportUnavailable(Unavailable):
    """The service that has this part of your data is not available right now; try again shortly."""

    code = "export_unavailable"
    example: ClassVar[Mapping[str, Any]] = {"part": "orders"}
