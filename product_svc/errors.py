"""The errors that a client of product_svc can get."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, NotFound, ShopError


class ProductNotFound(NotFound):
    """There is no such product."""

    code = "product_not_found"


class TooManySearches(ShopError):
    """Many searches are running; try again shortly."""

    status, code = 429, "too_many_searches"


class SkuTaken(Conflict):
    """A product with this SKU exists."""

    code = "sku_taken"
    example: ClassVar[Mapping[str, Any]] = {"skus": ["MUG-BLUE"]}


class InvalidAttributes(Conflict):
    """The attributes violate the JSON Schema of the category; "faults" lists the violations."""

    code = "invalid_attributes"
    example: ClassVar[Mapping[str, Any]] = {"faults": ["material: is required"]}


class TransitionNotAllowed(Conflict):
    """The product's status cannot change to the requested one; "allowed" lists those it can change to."""

    code = "transition_not_allowed"
    example: ClassVar[Mapping[str, Any]] = {"current": "discontinued", "allowed": ["active"]}


class TooManyVariants(Conflict):
    """The product would have more variants than allowed."""

    code = "too_many_variants"
    example: ClassVar[Mapping[str, Any]] = {"limit": 100}


class ProductTooLarge(Conflict):
    """The product, with all its variants and their attributes, would exceed the maximum size."""

    code = "product_too_large"
    example: ClassVar[Mapping[str, Any]] = {"limit": 1000000}


class CategoryNotFound(NotFound):
    """There is no such category."""

    code = "category_not_found"


class NoSuchCategory(Conflict):
    """The category that the request body refers to does not exist."""

    code = "no_such_category"


class CategoryNotEmpty(Conflict):
    """The category still contains products or categories."""

    code = "category_not_empty"
    example: ClassVar[Mapping[str, Any]] = {"products": 12, "children": 1}


class CategoryCycle(Conflict):
    """A category cannot be moved below itself."""

    code = "category_cycle"


class CategoryTooDeep(Conflict):
    """Categories would be nested more deeply than allowed."""

    code = "category_too_deep"
    example: ClassVar[Mapping[str, Any]] = {"limit": 10}


class SkuNotFound(NotFound):
    """No product has this SKU."""

    code = "sku_not_found"


class InsufficientStock(Conflict):
    """Fewer units are available than would be taken away; the others are reserved for orders."""

    code = "insufficient_stock"
    example: ClassVar[Mapping[str, Any]] = {"available": 3}


class ImportNotFound(NotFound):
    """There is no such import."""

    code = "import_not_found"


class UnexpectedLine(Conflict):
    """The import continues with another line: "next_line"; null if all lines have arrived."""

    code = "unexpected_line"
    example: ClassVar[Mapping[str, Any]] = {"next_line": 501}


class TooManyLines(Conflict):
    """The import was announced with fewer lines."""

    code = "too_many_lines"
    example: ClassVar[Mapping[str, Any]] = {"lines": 12000}
