"""What a client of product_svc can get wrong."""

from chassis.errors import Conflicting, NotFound


class SkuTaken(Conflicting):
    """A product with this SKU exists."""

    code = "sku_taken"


class ProductUnknown(NotFound):
    """There is no such product."""

    code = "product_unknown"


class SkuUnknown(NotFound):
    """No product has this SKU."""

    code = "sku_unknown"


class StockTooLow(Conflicting):
    """That much is not available to take away; the rest is reserved for orders."""

    code = "stock_too_low"
