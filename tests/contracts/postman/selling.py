"""Requests about the catalogue, the stock and imports."""

from collections.abc import Sequence

from tests.contracts.postman.step import TAG, Step

MUG = {
    "name": "Enamel mug",
    "category_id": "{{category_id}}",
    "attributes": {"material": "steel"},
    "variants": [{"sku": "{{sku}}", "price": {"amount": 1250, "currency": "EUR"}}],
}
CATALOGUE: Sequence[Step] = (
    Step(
        "Add a category",
        "POST /v1/categories",
        201,
        "staff",
        {"name": "Mugs", "attributes_schema": {"type": "object", "properties": {"material": {"type": "string"}}}},
        response_headers=("Location", "ETag"),
        keeps={"category_id": "body.id"},
    ),
    Step("List the categories", "GET /v1/categories", 200, holds={"some": "body.items.length > 0"}),
    Step("Read a category", "GET /v1/categories/{category_id}", 200, response_headers=("ETag",)),
    Step(
        "Change a category",
        "PATCH /v1/categories/{category_id}",
        200,
        "staff",
        {"name": "Cups"},
        headers=TAG,
        response_headers=("ETag",),
    ),
    Step(
        "Add a product",
        "POST /v1/products",
        201,
        "staff",
        MUG,
        response_headers=("Location", "ETag"),
        keeps={"product_id": "body.id"},
        holds={"it is active": "body.status === 'active'"},
    ),
    Step(
        "Browse the catalogue",
        "GET /v1/products",
        200,
        query="sku={{sku}}",
        holds={"found": "body.items.length === 1"},
    ),
    Step(
        "Count search results",
        "GET /v1/products/facets",
        200,
        query="sku={{sku}}",
        holds={"one": "body.total === 1"},
    ),
    Step("Read a product", "GET /v1/products/{product_id}", 200, response_headers=("ETag",)),
    Step(
        "Change a product",
        "PATCH /v1/products/{product_id}",
        200,
        "staff",
        {"description": "Holds a third of a litre."},
        headers=TAG,
        response_headers=("ETag",),
    ),
    Step(
        "Add a variant",
        "PUT /v1/products/{product_id}/variants/{sku}",
        200,
        "staff",
        {"price": {"amount": 1300, "currency": "EUR"}},
        headers=TAG,
        response_headers=("ETag",),
        holds={"it costs more": "body.variants[0].price.amount === 1300"},
    ),
    Step(
        "Export the catalogue",
        "GET /v1/products.{extension}",
        200,
        "staff",
        response_headers=("Product-Count",),
        holds={"it contains the SKU": "body.includes(pm.collectionVariables.get('sku'))"},
    ),
    Step(
        "Empty the category",
        "PATCH /v1/products/{product_id}",
        200,
        "staff",
        {"category_id": None},
        headers={"If-Match": "*"},
    ),
    Step("Remove a category", "DELETE /v1/categories/{category_id}", 204, "staff", headers={"If-Match": "*"}),
)

STOCK: Sequence[Step] = (
    Step(
        "Book a delivery",
        "POST /v1/stock/{sku}/adjustments",
        201,
        "staff",
        {"delta": 10, "reason": "delivery"},
        headers={"Idempotency-Key": "{{run}}"},
    ),
    Step(
        "Book it again with the same key",
        "POST /v1/stock/{sku}/adjustments",
        201,
        "staff",
        {"delta": 10, "reason": "delivery"},
        headers={"Idempotency-Key": "{{run}}"},
        response_headers=("Idempotency-Replayed",),
        holds={"not twice": "body.on_hand === 10"},
    ),
    Step("Read the stock", "GET /v1/stock/{sku}", 200, holds={"ten": "body.available === 10"}),
    Step(
        "List the movements", "GET /v1/stock/{sku}/movements", 200, "staff", holds={"one": "body.items.length === 1"}
    ),
    Step("Read the threshold", "GET /v1/stock/{sku}/threshold", 200, "staff", response_headers=("ETag",)),
    Step(
        "Set the threshold",
        "PUT /v1/stock/{sku}/threshold",
        200,
        "staff",
        {"threshold": 10},
        headers=TAG,
        response_headers=("ETag",),
    ),
    Step("List low stock", "GET /v1/stock", 200, "staff"),
)

LINE = '{"name": "Steel mug", "variants": [{"sku": "I-{{sku}}", "price": {"amount": 990, "currency": "EUR"}}]}\n'
ROWS = "sku,name,price,currency,variant_attributes\nC-{{sku}},Tin mug,790,EUR,\n"
IMPORTS: Sequence[Step] = (
    Step(
        "Start an import",
        "POST /v1/imports",
        201,
        "staff",
        {"format": "ndjson", "lines": 2},
        response_headers=("Location",),
        keeps={"import_id": "body.id"},
    ),
    Step(
        "Upload lines",
        "POST /v1/imports/{import_id}/parts",
        200,
        "staff",
        LINE + '{"name": "No variants"}\n',
        media="application/x-ndjson",
        query="first_line=1",
        holds={"one line is imported": "body.created === 1", "one line is faulty": "body.failed === 1"},
    ),
    Step("Follow the import", "GET /v1/imports/{import_id}", 200, "staff", holds={"done": "body.done === 2"}),
    Step(
        "Read its faults",
        "GET /v1/imports/{import_id}/faults",
        200,
        "staff",
        holds={"line 2": "body.items[0].line === 2"},
    ),
    Step("List imports", "GET /v1/imports", 200, "staff"),
    Step(
        "Start an import of CSV",
        "POST /v1/imports",
        201,
        "staff",
        {"format": "csv", "lines": 2},
        response_headers=("Location",),
        keeps={"import_id": "body.id"},
    ),
    Step(
        "Upload lines of CSV",
        "POST /v1/imports/{import_id}/parts",
        200,
        "staff",
        ROWS,
        media="text/csv",
        query="first_line=1",
        holds={"it is imported": "body.created === 1", "all of it": "body.next_line === null"},
    ),
    Step(
        "Export the catalogue as CSV",
        "GET /v1/products.{extension}",
        200,
        "staff",
        variables={"extension": "csv"},
        response_headers=("Product-Count",),
        media="text/csv",
        holds={"it contains the SKU": "body.includes(`C-${pm.collectionVariables.get('sku')}`)"},
    ),
)
