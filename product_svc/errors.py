"""What a client of product_svc can get wrong."""

from collections.abc import Mapping
from typing import Any, ClassVar

from chassis.http.errors import Conflict, NotFound


class SkuTaken(Conflict):
    """A product with this SKU exists."""

    code = "sku_taken"
    example: ClassVar[Mapping[str, Any]] = {"skus": ["MUG-BLUE"]}


class ProductUnknown(NotFound):
    """There is no such product."""

    code = "product_unknown"


class SkuUnknown(NotFound):
    """No product has this SKU."""

    code = "sku_unknown"


class StockTooLow(Conflict):
    """That much is not available to take away; the rest is reserved for orders."""

    code = "stock_too_low"
    example: ClassVar[Mapping[str, Any]] = {"available": 3}


class CategoryUnknown(NotFound):
    """There is no such category."""

    code = "category_unknown"


class NoSuchCategory(Conflict):
    """The category that is named here does not exist."""

    code = "no_such_category"


class CategoryNotEmpty(Conflict):
    """There are products or categories in this category."""

    code = "category_not_empty"
    example: ClassVar[Mapping[str, Any]] = {"products": 12, "children": 1}


class CategoryInItself(Conflict):
    """A category cannot be put under itself, nor under what is in it."""

    code = "category_in_itself"


class TooDeep(Conflict):
    """Categories are nested more deeply than this shop allows."""

    code = "too_deep"
    example: ClassVar[Mapping[str, Any]] = {"limit": 10}


class AttributesDoNotFit(Conflict):
    """The attributes are not as the category's JSON Schema says; "faults" says where."""

    code = "attributes_do_not_fit"
    example: ClassVar[Mapping[str, Any]] = {"faults": ["material: is required"]}


class StatusNotPossible(Conflict):
    """The product cannot go from its status to that one; "allowed" says to which."""

    code = "status_not_possible"
    example: ClassVar[Mapping[str, Any]] = {"current": "discontinued", "allowed": ["active"]}


class TooManyVariants(Conflict):
    """The product would have more variants than this shop allows."""

    code = "too_many_variants"
    example: ClassVar[Mapping[str, Any]] = {"limit": 100}


class ProductTooLarge(Conflict):
    """The product, with all its variants and their attributes, would be larger than this shop keeps."""

    code = "product_too_large"
    example: ClassVar[Mapping[str, Any]] = {"limit": 1000000}


class ImportUnknown(NotFound):
    """There is no such import."""

    code = "import_unknown"


class OutOfLine(Conflict):
    """The import goes on with another line: "next_line"; where that is null, all lines have come."""

    code = "out_of_line"
    example: ClassVar[Mapping[str, Any]] = {"next_line": 501}


class TooManyLines(Conflict):
    """The import was announced with fewer lines."""

    code = "too_many_lines"
    example: ClassVar[Mapping[str, Any]] = {"lines": 12000}
