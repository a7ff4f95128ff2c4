"""The routes of categories."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, MalformedRequest, Unauthenticated
from chassis.http.headers import sends
from chassis.http.paging import IdCursor
from chassis.http.preconditions import IfMatch, etag
from chassis.http.routing import new_router, problems
from product_svc.categories import queries
from product_svc.categories.commands import CreateCategory, RemoveCategory, UpdateCategory
from product_svc.categories.domain import Category
from product_svc.categories.dto import CategoriesOut, CategoryBody, CategoryOut, CategoryPatch, category_out
from product_svc.categories.patterns import PATTERNS, patterns_of
from product_svc.container import Commit, Database, catalogue_page
from product_svc.errors import CategoryNotFound

router = new_router()


@router.post(
    "/v1/categories",
    status_code=status.HTTP_201_CREATED,
    tags=["categories"],
    summary="Create a category",
    responses=problems(Unauthenticated, Forbidden, *CreateCategory.errors) | sends(201, "Location", "ETag"),
)
async def add_category(body: CategoryBody, response: Response, commit: Commit, _staff: Staff) -> CategoryOut:
    """Add a category to the tree. If it has a JSON Schema, the attributes of its products must match that."""
    schema = body.schema_as_sent()
    await _require_patterns(schema)
    category = await commit(CreateCategory(uuid7(), body.name, body.parent_id, schema))
    response.headers["Location"] = f"/v1/categories/{category.id}"
    return _tagged(response, category)


@router.get("/v1/categories", tags=["categories"], summary="List the categories")
@catalogue_page
async def list_categories(
    database: Database,
    cursor: IdCursor = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> CategoriesOut:
    """The whole tree as a flat list, in the order of creation: each category names its parent."""
    found = await queries.categories(database, cursor, limit + 1)
    page = [category_out(category) for category in found[:limit]]
    return CategoriesOut(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/v1/categories/{category_id}",
    tags=["categories"],
    summary="Read a category",
    responses=problems(CategoryNotFound) | sends(200, "ETag"),
)
@catalogue_page
async def read_category(category_id: UUID, response: Response, database: Database) -> CategoryOut:
    """One category."""
    return _tagged(response, await queries.category(database, category_id))


@router.patch(
    "/v1/categories/{category_id}",
    tags=["categories"],
    summary="Change a category",
    responses=problems(Unauthenticated, Forbidden, *UpdateCategory.errors) | sends(200, "ETag"),
)
async def amend_category(
    category_id: UUID,
    body: CategoryPatch,
    response: Response,
    commit: Commit,
    _staff: Staff,
    if_match: IfMatch = None,
) -> CategoryOut:
    """Rename a category, move it with all that is below it, or give it a schema for products changed from now on."""
    changes = body.changes()
    await _require_patterns(changes.get("schema"))
    return _tagged(response, await commit(UpdateCategory(category_id, if_match, changes)))


@router.delete(
    "/v1/categories/{category_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["categories"],
    summary="Remove an empty category",
    responses=problems(Unauthenticated, Forbidden, *RemoveCategory.errors),
)
async def delete_category(category_id: UUID, commit: Commit, _staff: Staff, if_match: IfMatch = None) -> None:
    """Remove a category that contains neither products nor categories."""
    await commit(RemoveCategory(category_id, if_match))


async def _require_patterns(schema: Mapping[str, Any] | None) -> None:
    """Raise ``MalformedRequest``, which names the patterns of a schema that are no regular expressions."""
    found = dict(patterns_of(schema or {}))
    await PATTERNS.compile(found.values())
    wrong = [f"body/attributes_schema/{place}" for place, pattern in found.items() if pattern not in PATTERNS]
    if wrong:
        what = "not a regular expression that this service supports"
        raise MalformedRequest(errors=[{"where": place, "what": what, "type": "value_error"} for place in wrong[:20]])


def _tagged(response: Response, category: Category) -> CategoryOut:
    response.headers["ETag"] = etag(category.version)
    return category_out(category)
