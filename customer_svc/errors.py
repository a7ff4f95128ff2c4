"""What a client of customer_svc can get wrong."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, Forbidden, NotFound, ShopError, Unauthenticated, Unavailable


class WrongCredentials(Unauthenticated):
    """E-mail address or password is wrong."""

    code = "wrong_credentials"


class WrongPassword(Forbidden):
    """The current password is not right."""

    code = "wrong_password"


class RefreshRefused(Unauthenticated):
    """The refresh token is good for nothing: log in again."""

    code = "refresh_refused"


class TooManyTries(ShopError):
    """Too many tries; the next one is possible later ("Retry-After" says when)."""

    status, code = 429, "too_many_tries"
    example: ClassVar[Mapping[str, Any]] = {"retry_after": 30}


class CustomerUnknown(NotFound):
    """There is no such customer."""

    code = "customer_unknown"


class AddressUnknown(NotFound):
    """You have no such address."""

    code = "address_unknown"


class TooManyAddresses(Conflict):
    """You have as many addresses as one can have; remove one first."""

    code = "too_many_addresses"


class AccountDeactivated(Conflict):
    """The account is out of use."""

    code = "account_deactivated"


class DeactivatedAlready(Conflict):
    """The account was put out of use before."""

    code = "deactivated_already"


class ActiveAlready(Conflict):
    """The account is in use."""

    code = "active_already"


class ExportUnavailable(Unavailable):
    """Not all of your data can be had right now: the service that has this part of them cannot be asked."""

    code = "export_unavailable"
    example: ClassVar[Mapping[str, Any]] = {"part": "orders"}


class ErasureUnknown(NotFound):
    """There is no such erasure."""

    code = "erasure_unknown"


class LinkSpent(Conflict):
    """The link cannot be used: it was used before, is too old, or was never ours."""

    code = "link_spent"


class VerifiedAlready(Conflict):
    """The address of this account is confirmed."""

    code = "verified_already"


class AskedJustNow(ShopError):
    """A mail was asked for just now; look for it, and ask again later ("Retry-After" says when)."""

    status, code = 429, "asked_just_now"
    example: ClassVar[Mapping[str, Any]] = {"retry_after": 60}
