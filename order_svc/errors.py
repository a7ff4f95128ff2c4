"""The errors that order_svc returns to its clients."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, NotFound, ShopError, Unavailable


class OrderNotFound(NotFound):
    """There is no such order."""

    code = "order_not_found"


class ShipmentNotFound(NotFound):
    """The order has no such shipment."""

    code = "shipment_not_found"


class ReturnRequestNotFound(NotFound):
    """The order has no such request to return something."""

    code = "return_request_not_found"


class SkuNotFound(Conflict):
    """No product has this SKU; "skus" lists the SKUs that were not found."""

    code = "sku_not_found"
    example: ClassVar[Mapping[str, Any]] = {"skus": ["MUG-RED"]}


class NotForSale(Conflict):
    """These products are in the catalogue, but are no longer for sale."""

    code = "not_for_sale"
    example: ClassVar[Mapping[str, Any]] = {"skus": ["MUG-RED"]}


class MixedCurrencies(Conflict):
    """The products of one order must have the same currency."""

    code = "mixed_currencies"
    example: ClassVar[Mapping[str, Any]] = {"currencies": ["EUR", "GBP"]}


class CurrencyMismatch(Conflict):
    """The products of the order are sold in another currency, which "currency" names."""

    code = "currency_mismatch"
    example: ClassVar[Mapping[str, Any]] = {"currency": "EUR"}


class OrderTooLarge(Conflict):
    """The order's total exceeds the largest amount that can be booked."""

    code = "order_too_large"


class TransitionNotAllowed(Conflict):
    """The order's state does not allow this: "detail" says why, "allowed" lists what it does allow."""

    code = "transition_not_allowed"
    example: ClassVar[Mapping[str, Any]] = {"state": "PENDING", "allowed": ["amend", "cancel"]}


class QuantityExceeded(Conflict):
    """The quantity exceeds what is left: "left" gives the remaining quantities, "allowed" the possible actions."""

    code = "quantity_exceeded"
    example: ClassVar[Mapping[str, Any]] = {
        "left": {"MUG-BLUE": 1},
        "state": "SHIPPED",
        "allowed": ["cancel_remainder", "ship"],
    }


class AccountDeactivated(Conflict):
    """Your account is deactivated and cannot place orders."""

    code = "account_deactivated"


class AccountErased(Conflict):
    """Your account was erased and cannot place or change orders."""

    code = "account_erased"


class NoShippingAddress(Conflict):
    """The order has no shipping address, and your account has no default address."""

    code = "no_shipping_address"


class CatalogueUnavailable(Unavailable):
    """The order names products that are not known here yet, and the catalogue is not available right now."""

    code = "catalogue_unavailable"
    example: ClassVar[Mapping[str, Any]] = {"skus": ["MUG-RED"]}


class TooManyOrders(ShopError):
    """Your account has placed or amended as many orders as it may in a minute; try again later."""

    status, code = 429, "too_many_orders"
    example: ClassVar[Mapping[str, Any]] = {"limit": 60, "retry_after": 20}


class TooManyPieces(Conflict):
    """Your account would have more pieces on order that are not shipped yet than it may."""

    code = "too_many_pieces"
    example: ClassVar[Mapping[str, Any]] = {"limit": 10000, "held": 9990}


class TooManyStreams(ShopError):
    """Your account has too many open streams; close one first."""

    status, code = 429, "too_many_streams"
    example: ClassVar[Mapping[str, Any]] = {"most": 10}


class StreamLimitReached(Unavailable):
    """This process serves no further streams right now; try again shortly."""

    code = "stream_limit_reached"
