"""What staff does with categories."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID

from chassis.http.preconditions import PreconditionFailed, PreconditionRequired, unchanged_since
from product_svc.categories.domain import MAX_DEPTH, Category
from product_svc.errors import CategoryCycle, CategoryNotEmpty, CategoryNotFound, CategoryTooDeep, NoSuchCategory
from product_svc.unit_of_work import ProductUnitOfWork


@dataclass(frozen=True, slots=True)
class CreateCategory:
    """Create a category under a parent or at the root."""

    errors: ClassVar = (NoSuchCategory, CategoryTooDeep)
    category_id: UUID
    name: str
    parent_id: UUID | None
    schema: Mapping[str, Any] | None

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The category, and the path from its parent to the root."""
        _prefetch(uow, self.category_id, self.parent_id)

    def execute(self, uow: ProductUnitOfWork) -> Category:
        """Return the category."""
        category = Category(self.category_id, self.name, self.parent_id, self.schema, 1, uow.now)
        _place(uow, category, None)
        uow.categories.set(category.id, category)
        return category


@dataclass(frozen=True, slots=True)
class UpdateCategory:
    """Replace fields of a category. Its products keep their attributes, whether they match a new schema or not."""

    errors: ClassVar = (
        *(CategoryNotFound, PreconditionFailed, PreconditionRequired),
        *(NoSuchCategory, CategoryCycle, CategoryTooDeep),
    )
    category_id: UUID
    if_match: str | None
    changes: Mapping[str, Any]

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The category, and the paths from its parents, old and new, to the root."""
        _prefetch(uow, self.category_id, self.changes.get("parent_id"))

    def execute(self, uow: ProductUnitOfWork) -> Category:
        """Return the category; it is unchanged where nothing is different."""
        category = _existing(uow, self.category_id)
        unchanged_since(self.if_match, category.version)
        changed = category.change(uow.now, **self.changes)
        if changed is None:
            return category
        if changed.parent_id != category.parent_id:
            _place(uow, changed, category.parent_id)
        uow.categories.set(changed.id, changed)
        return changed


@dataclass(frozen=True, slots=True)
class RemoveCategory:
    """Remove an empty category."""

    errors: ClassVar = (CategoryNotFound, PreconditionFailed, PreconditionRequired, CategoryNotEmpty)
    category_id: UUID
    if_match: str | None

    def prefetch(self, uow: ProductUnitOfWork) -> None:
        """The category, and the path to the root."""
        _prefetch(uow, self.category_id)

    def execute(self, uow: ProductUnitOfWork) -> None:
        """Mark the category as removed: it is deleted if it is still empty then."""
        category = _existing(uow, self.category_id)
        unchanged_since(self.if_match, category.version)
        if category.products or category.children:
            raise CategoryNotEmpty(products=category.products, children=category.children)
        _count_child(uow, category.parent_id, -1)
        uow.categories.set(category.id, replace(category, removed=True))


def referenced_category(uow: ProductUnitOfWork, category_id: UUID) -> Category:
    """The category that a product or a category refers to; raise ``NoSuchCategory``."""
    category = uow.categories.get(category_id)
    if category is None or category.removed:
        raise NoSuchCategory
    return category


def move_product(uow: ProductUnitOfWork, before: UUID | None, after: UUID | None) -> None:
    """Count a product in its new category and no longer in its old one; raise ``NoSuchCategory``.

    A transaction that removes one of them at the same time conflicts.
    """
    if before == after:
        return
    for category_id, more in ((before, -1), (after, 1)):
        if category_id:
            category = referenced_category(uow, category_id)
            uow.categories.set(category.id, replace(category, products=category.products + more))


def _prefetch(uow: ProductUnitOfWork, *categories: UUID | None) -> None:
    uow.categories.prefetch(*(category for category in categories if category))


def _existing(uow: ProductUnitOfWork, category_id: UUID) -> Category:
    category = uow.categories.get(category_id)
    if category is None or category.removed:
        raise CategoryNotFound
    return category


def _place(uow: ProductUnitOfWork, category: Category, parent_before: UUID | None) -> None:
    """Check that a category can be below its parent, and count it there."""
    above, depth = category.parent_id, 1
    while above:
        if above == category.id:
            raise CategoryCycle
        above, depth = referenced_category(uow, above).parent_id, depth + 1
    # What is below a category that is moved is not counted: it may end up deeper.
    if depth > MAX_DEPTH:
        raise CategoryTooDeep(limit=MAX_DEPTH)
    _count_child(uow, parent_before, -1)
    _count_child(uow, category.parent_id, 1)


def _count_child(uow: ProductUnitOfWork, parent_id: UUID | None, more: int) -> None:
    if parent_id and (parent := uow.categories.get(parent_id)):
        uow.categories.set(parent.id, replace(parent, children=parent.children + more))
