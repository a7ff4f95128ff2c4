"""The routes of imports and exports."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.content_negotiation import OCTETS
from chassis.http.errors import Forbidden, Unauthenticated, UnsupportedMediaType
from chassis.http.headers import carries, sends
from chassis.http.media_types import media_type
from chassis.http.paging import NEXT, IdCursor
from chassis.http.routing import new_router, problems
from chassis.http.streaming import StreamingBody
from product_svc.container import Commit, Database
from product_svc.errors import ImportNotFound
from product_svc.imports import queries
from product_svc.imports.commands import ImportPart, StartImport, assign_products
from product_svc.imports.domain import Format
from product_svc.imports.dto import FaultsOut, ImportBody, ImportOut, ImportsOut, fault_out, import_out
from product_svc.imports.export import MEDIA_TYPES, exported
from product_svc.imports.lines import read_part

router = new_router()

EXAMPLE_LINE = '{"name": "Mug", "variants": [{"sku": "MUG-BLUE", "price": {"amount": 1250, "currency": "EUR"}}]}\n'
EXAMPLE_ROWS = "sku,name,price,currency,variant_attributes\nMUG-BLUE,Mug,1250,EUR,\n"
CONTENT: dict[str, Any] = {
    "application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE_LINE},
    "text/csv": {"schema": {"type": "string"}, "example": EXAMPLE_ROWS},
}
ANY_CONTENT: dict[str, Any] = {OCTETS: {"schema": {"type": "string", "format": "binary"}, "example": EXAMPLE_LINE}}
"""The format was chosen when the import began; generated clients know no other type for lines."""


@router.post(
    "/v1/imports",
    status_code=status.HTTP_201_CREATED,
    tags=["imports"],
    summary="Start an import",
    responses=problems(Unauthenticated, Forbidden) | sends(201, "Location"),
)
async def begin_import(body: ImportBody, response: Response, commit: Commit, staff: Staff) -> ImportOut:
    """Announce a file of products, whose lines are then sent in parts.

    In a dry run, each part is tried and undone: you learn its faults, and nothing is imported. What a line needs of
    an earlier part is not there.
    """
    started = await commit(StartImport(uuid7(), body.format, body.lines, staff.id, body.dry_run))
    response.headers["Location"] = f"/v1/imports/{started.id}"
    return import_out(started)


@router.get("/v1/imports", tags=["imports"], summary="List imports", responses=problems(Unauthenticated, Forbidden))
async def list_imports(
    database: Database,
    _staff: Staff,
    cursor: IdCursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ImportsOut:
    """Imports, newest first."""
    found = await queries.imports(database, cursor, limit + 1)
    page = [import_out(one) for one in found[:limit]]
    return ImportsOut(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/v1/imports/{import_id}",
    tags=["imports"],
    summary="Read an import",
    responses=problems(Unauthenticated, Forbidden, ImportNotFound),
)
async def read_import(import_id: UUID, database: Database, _staff: Staff) -> ImportOut:
    """The progress of an import, and the line that it continues with."""
    return import_out(await queries.import_(database, import_id))


@router.post(
    "/v1/imports/{import_id}/parts",
    tags=["imports"],
    summary="Send lines of an import",
    responses=problems(Unauthenticated, Forbidden, *ImportPart.errors),
    openapi_extra={"requestBody": {"required": True, "content": CONTENT | ANY_CONTENT}},
)
async def send_part(
    import_id: UUID,
    first_line: Annotated[int, Query(ge=1, le=10_000_000, description="number of the first, from 1", examples=[1])],
    request: Request,
    commit: Commit,
    database: Database,
    _staff: Staff,
) -> ImportOut:
    """Import up to 500 whole lines. Those that cannot be imported are recorded as faults; the others are imported.

    NDJSON has a product a line, CSV a variant a line under a heading in line 1. A line is about the product whose id
    it has (`id`, `product_id`), else about the one that has one of its SKUs, else about a new one. Consecutive rows
    of CSV with one `handle`, or else with one name, are variants of one product. Fields that a line leaves out and
    variants that it does not name are not changed. A part that was sent before is refused with `unexpected_line` and
    the line to continue with.
    """
    known = await queries.import_(database, import_id)
    _check_content_type(request, known.format)
    # What a part continues is known only when all lines before it have arrived.
    known.expect(first_line)
    part = read_part(await request.body(), known.format, first_line, known.columns)
    skus = {variant.sku for line in part.lines if line.product for variant in line.product.variants}
    products, group = assign_products(part, await queries.owners(database, skus), known.group)
    return import_out(await commit(ImportPart(import_id, first_line, part, products, group)))


@router.get(
    "/v1/imports/{import_id}/faults",
    tags=["imports"],
    summary="List the faults of an import",
    responses=problems(Unauthenticated, Forbidden, ImportNotFound),
)
async def list_faults(
    import_id: UUID,
    database: Database,
    _staff: Staff,
    cursor: Annotated[int, Query(ge=0, le=10_000_000, description=NEXT)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> FaultsOut:
    """Each line that was not imported, and why."""
    found = await queries.faults(database, import_id, cursor, limit + 1)
    page = [fault_out(fault) for fault in found[:limit]]
    return FaultsOut(items=page, next=page[-1].line if len(found) > limit else None)


@router.get(
    "/v1/products.{extension}",
    status_code=status.HTTP_200_OK,
    tags=["products"],
    summary="Export the catalogue",
    response_class=StreamingBody,
    responses={
        **problems(Unauthenticated, Forbidden),
        200: {
            "description": "Lines that can be imported. `Product-Count` is the number of products.",
            **carries("Product-Count"),
            "content": CONTENT,
        },
    },
)
async def export_products(
    extension: Format,
    database: Database,
    _staff: Staff,
    cursor: Annotated[UUID | None, Query(description="continue after this product; without a heading")] = None,
) -> Response:
    """All products, drafts and discontinued ones too, in the order of their creation.

    To resume an export that was interrupted, send the id of the last product that arrived as a whole as `cursor`: in
    CSV, where a product has several rows, that may be the last but one.

    In CSV, text that a spreadsheet would compute as a formula has an apostrophe before it, which an import removes.
    """
    count, chunks = await queries.count_products(database, cursor), exported(database, extension, cursor)
    response = await StreamingBody.starting(chunks, MEDIA_TYPES[extension])
    response.headers["Product-Count"] = str(count)
    return response


def _check_content_type(request: Request, form: Format) -> None:
    expected = MEDIA_TYPES[form].partition(";")[0]
    if media_type(request.headers) not in (expected, OCTETS):
        raise UnsupportedMediaType(f"This import is {expected}.", accepted=expected)
