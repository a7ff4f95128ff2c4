"""What a client of order_svc can get wrong."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, NotFound, ShopError, Unavailable


class OrderUnknown(NotFound):
    """There is no such order."""

    code = "order_unknown"


class SkuUnknown(Conflict):
    """No product has this SKU."""

    code = "sku_unknown"
    example: ClassVar[Mapping[str, Any]] = {"skus": ["MUG-RED"]}


class NotForSale(Conflict):
    """These are in the catalogue, and cannot be ordered any more."""

    code = "not_for_sale"
    example: ClassVar[Mapping[str, Any]] = {"skus": ["MUG-RED"]}


class MixedCurrencies(Conflict):
    """The products of one order must have the same currency."""

    code = "mixed_currencies"
    example: ClassVar[Mapping[str, Any]] = {"currencies": ["EUR", "GBP"]}


class OtherCurrency(Conflict):
    """The products of the order are sold in another currency; "currency" says in which."""

    code = "other_currency"
    example: ClassVar[Mapping[str, Any]] = {"currency": "EUR"}


class OrderTooLarge(Conflict):
    """The order's total is larger than we can book."""

    code = "order_too_large"


class NotPossibleNow(Conflict):
    """The order's state does not allow this; "allowed" says what it does allow."""

    code = "not_possible_now"
    example: ClassVar[Mapping[str, Any]] = {"state": "SHIPPED", "allowed": ["deliver"]}


class MoreThanLeft(Conflict):
    """Not so many of these are left; "left" says how many of what are, "allowed" what is possible."""

    code = "more_than_left"
    example: ClassVar[Mapping[str, Any]] = {"left": {"MUG-BLUE": 1}, "state": "SHIPPED", "allowed": ["ship"]}


class AccountDeactivated(Conflict):
    """Your account is out of use: it cannot order."""

    code = "account_deactivated"


class AccountErased(Conflict):
    """Your account is gone: it cannot order."""

    code = "account_erased"


class NoShippingAddress(Conflict):
    """The order says nothing of where it goes, and your account has no default address that we know of."""

    code = "no_shipping_address"


class CatalogueUnavailable(Unavailable):
    """The order names products that we do not know yet, and the catalogue cannot be asked right now."""

    code = "catalogue_unavailable"
    example: ClassVar[Mapping[str, Any]] = {"skus": ["MUG-RED"]}


class TooManyFollowed(ShopError):
    """You follow as many orders as one can at the same time; let go of one first."""

    status, code = 429, "too_many_followed"
    example: ClassVar[Mapping[str, Any]] = {"most": 10}


class WatchFull(Unavailable):
    """More is followed than this process can bear; try again shortly."""

    code = "watch_full"
