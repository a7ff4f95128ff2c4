"""The routes of categories."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response, status
from uuid_utils.compat import uuid7

from chassis.http.auth import Staff
from chassis.http.errors import Forbidden, Unauthenticated
from chassis.http.headers import sends
from chassis.http.preconditions import IfMatch, PreconditionFailed, PreconditionRequired, etag
from chassis.http.routing import new_router, problems
from product_svc.catalogue import queries
from product_svc.catalogue.commands import change_category, create_category, remove_category
from product_svc.catalogue.domain import Category
from product_svc.catalogue.dto import CategoriesOut, CategoryOut, category_out
from product_svc.catalogue.schema_bodies import CategoryBody, CategoryPatch
from product_svc.container import Commit, Database
from product_svc.errors import (
    CategoryInItself,
    CategoryNotEmpty,
    CategoryUnknown,
    NoSuchCategory,
    TooDeep,
)
from product_svc.store import Warehouse

router = new_router()


def _want(unit: Warehouse, *categories: UUID | None) -> None:
    unit.categories.prefetch(*(category for category in categories if category))


@router.post(
    "/v1/categories",
    status_code=status.HTTP_201_CREATED,
    tags=["categories"],
    summary="Add a category",
    responses=problems(Unauthenticated, Forbidden, NoSuchCategory, TooDeep) | sends(201, "Location", "ETag"),
)
async def add_category(body: CategoryBody, response: Response, commit: Commit, _staff: Staff) -> CategoryOut:
    """Put a category into the tree. Its JSON Schema, if it has one, holds for the attributes of its products."""
    category_id, schema = uuid7(), body.schema_as_sent()
    category = await commit(
        lambda unit: create_category(unit, category_id, body.name, body.parent_id, schema),
        lambda unit: _want(unit, category_id, body.parent_id),
    )
    response.headers["Location"] = f"/v1/categories/{category.id}"
    return _tagged(response, category)


@router.get("/v1/categories", tags=["categories"], summary="List the categories")
async def list_categories(
    database: Database,
    after: Annotated[UUID | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> CategoriesOut:
    """The whole tree, flat, in the order in which it was made: each names its parent."""
    found = await queries.categories(database, after, limit + 1)
    page = [category_out(category) for category in found[:limit]]
    return CategoriesOut(items=page, next=page[-1].id if len(found) > limit else None)


@router.get(
    "/v1/categories/{category_id}",
    tags=["categories"],
    summary="Read a category",
    responses=problems(CategoryUnknown) | sends(200, "ETag"),
)
async def read_category(category_id: UUID, response: Response, database: Database) -> CategoryOut:
    """One category."""
    return _tagged(response, await queries.category(database, category_id))


@router.patch(
    "/v1/categories/{category_id}",
    tags=["categories"],
    summary="Change a category",
    responses=problems(
        *(Unauthenticated, Forbidden, CategoryUnknown, PreconditionFailed, PreconditionRequired),
        *(NoSuchCategory, CategoryInItself, TooDeep),
    )
    | sends(200, "ETag"),
)
async def amend_category(
    category_id: UUID,
    body: CategoryPatch,
    response: Response,
    commit: Commit,
    _staff: Staff,
    if_match: IfMatch = None,
) -> CategoryOut:
    """Rename it, move it with all that is below it, or give it another schema for what is written from now on."""
    changes = body.changes()
    category = await commit(
        lambda unit: change_category(unit, category_id, if_match, changes),
        lambda unit: _want(unit, category_id, body.parent_id),
    )
    return _tagged(response, category)


@router.delete(
    "/v1/categories/{category_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    tags=["categories"],
    summary="Remove an empty category",
    responses=problems(
        *(Unauthenticated, Forbidden, CategoryUnknown, PreconditionFailed, PreconditionRequired),
        CategoryNotEmpty,
    ),
)
async def delete_category(category_id: UUID, commit: Commit, _staff: Staff, if_match: IfMatch = None) -> None:
    """Take a category away in which there is nothing."""
    await commit(lambda unit: remove_category(unit, category_id, if_match), lambda unit: _want(unit, category_id))


def _tagged(response: Response, category: Category) -> CategoryOut:
    response.headers["ETag"] = etag(category.version)
    return category_out(category)
