"""The routes of imports and exports."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, MalformedRequest, Unauthenticated
from chassis.http.headers import carries, sends
from chassis.http.routing import new_router, problems
from chassis.http.streaming import StreamingBody
from product_svc.bulk import queries
from product_svc.bulk.commands import placed, start_import, take_part, want_part
from product_svc.bulk.domain import Format
from product_svc.bulk.dto import FaultsOut, ImportBody, ImportOut, ImportsOut, fault_out, import_out
from product_svc.bulk.export import MEDIA_TYPES, exported
from product_svc.bulk.lines import read_part
from product_svc.container import Commit, Database
from product_svc.errors import ImportUnknown, OutOfLine, TooManyLines

router = new_router()

EXAMPLE_LINE = '{"name": "Mug", "variants": [{"sku": "MUG-BLUE", "price": {"amount": 1250, "currency": "EUR"}}]}\n'
EXAMPLE_ROWS = "sku,name,price,currency,variant_attributes\nMUG-BLUE,Mug,1250,EUR,\n"
PARTS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE_LINE},
            "text/csv": {"schema": {"type": "string"}, "example": EXAMPLE_ROWS},
        },
    }
}


@router.post(
    "/v1/imports",
    status_code=status.HTTP_201_CREATED,
    tags=["imports"],
    summary="Begin an import",
    responses=problems(Unauthenticated, Forbidden) | sends(201, "Location"),
)
async def begin_import(body: ImportBody, response: Response, commit: Commit, staff: Staff) -> ImportOut:
    """Announce a file of products, whose lines then come in parts."""
    import_id = uuid7()
    begun = await commit(
        lambda unit: start_import(unit, import_id, body.format, body.lines, staff.id),
        lambda unit: unit.imports.prefetch(import_id),
    )
    response.headers["Location"] = f"/v1/imports/{begun.id}"
    return import_out(begun)


@router.get("/v1/imports", tags=["imports"], summary="List imports", responses=problems(Unauthenticated, Forbidden))
async def list_imports(
    database: Database,
    _staff: Staff,
    before: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ImportsOut:
    """Imports, newest first."""
    found = await queries.imports(database, before, limit + 1)
    page = [import_out(one) for one in found[:limit]]
    return ImportsOut(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/v1/imports/{import_id}",
    tags=["imports"],
    summary="Follow an import",
    responses=problems(Unauthenticated, Forbidden, ImportUnknown),
)
async def read_import(import_id: UUID, database: Database, _staff: Staff) -> ImportOut:
    """How far it has come, and where it goes on."""
    return import_out(await queries.import_(database, import_id))


@router.post(
    "/v1/imports/{import_id}/parts",
    tags=["imports"],
    summary="Send lines of an import",
    responses=problems(Unauthenticated, Forbidden, ImportUnknown, OutOfLine, TooManyLines),
    openapi_extra=PARTS,
)
async def send_part(
    import_id: UUID,
    first_line: Annotated[int, Query(ge=1, le=10_000_000, description="number of the first, from 1", examples=[1])],
    request: Request,
    commit: Commit,
    database: Database,
    _staff: Staff,
) -> ImportOut:
    """Up to 500 whole lines. All that can be taken are, together with the note that these lines are done.

    NDJSON has a product a line, CSV a variant a line under a heading in line 1. A line is about the product whose id
    it has (`id`, `product_id`), else about the one that has one of its SKUs, else about a new one. Fields that it
    leaves out and variants that it does not name stay as they are. A part that was sent before is refused with
    `out_of_line` and the line to go on with.
    """
    begun = await queries.import_(database, import_id)
    wanted = MEDIA_TYPES[begun.format].partition(";")[0]
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != wanted:
        where = {"where": "header/content-type", "what": f"this import is {wanted}", "type": "value_error"}
        raise MalformedRequest(errors=[where])
    part = read_part(await request.body(), begun.format, first_line, begun.columns)
    skus = {variant.sku for line in part.lines if line.product for variant in line.product.variants}
    products = placed(part, await queries.owners(database, skus))
    after = await commit(
        lambda unit: take_part(unit, import_id, first_line, part, products),
        lambda unit: want_part(unit, import_id, part, products),
    )
    return import_out(after)


@router.get(
    "/v1/imports/{import_id}/faults",
    tags=["imports"],
    summary="Read which lines were not taken",
    responses=problems(Unauthenticated, Forbidden, ImportUnknown),
)
async def list_faults(
    import_id: UUID,
    database: Database,
    _staff: Staff,
    after: Annotated[int, Query(ge=0, le=10_000_000, description="`next` of the page before")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> FaultsOut:
    """Each line that was not taken, and why."""
    found = await queries.faults(database, import_id, after, limit + 1)
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
            "description": "Lines that an import takes. `Product-Count` says how many products they are.",
            **carries("Product-Count"),
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}, "example": EXAMPLE_LINE},
                "text/csv": {"schema": {"type": "string"}, "example": EXAMPLE_ROWS},
            },
        },
    },
)
async def export_products(
    extension: Format,
    database: Database,
    _staff: Staff,
    after: Annotated[UUID | None, Query(description="go on after this product; without a heading")] = None,
) -> Response:
    """All products, drafts and discontinued ones too, in the order in which they were added.

    An export that broke off goes on after the last product that has come whole: in CSV, whose rows are variants,
    that may be the last but one.
    """
    count, chunks = await queries.count(database, after), exported(database, extension, after)
    answer = await StreamingBody.starting(chunks, MEDIA_TYPES[extension])
    answer.headers["Product-Count"] = str(count)
    return answer
