"""The REST bodies of categories. The JSON Schemas that they can have are in ``schema_dto``."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from chassis.http.bodies import RequestBody, ResponseBody
from chassis.http.paging import Page
from product_svc.categories.attribute_dto import CategoryId, Name, Patch
from product_svc.categories.domain import Category
from product_svc.categories.schema_dto import AttributesSchema

Count = Annotated[int, Field(examples=[3])]


class CategoryBody(RequestBody):
    """A category under a parent, or at the root."""

    name: Name
    parent_id: CategoryId | None = None
    attributes_schema: AttributesSchema | None = None

    def schema_as_sent(self) -> dict[str, Any] | None:
        """The JSON Schema, with the keywords that were sent."""
        return _as_sent(self.attributes_schema)


class CategoryPatch(Patch):
    """A change of a category. Its products keep their attributes, whether they match a new schema or not."""

    name: Name = Field(default_factory=str)
    parent_id: CategoryId | None = None
    attributes_schema: AttributesSchema | None = None

    def changes(self) -> dict[str, Any]:
        """Field → value, of those that were sent."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "attributes_schema" in sent:
            sent["schema"] = _as_sent(sent.pop("attributes_schema"))
        return sent


class CategoryOut(ResponseBody):
    """A category; ``products`` and ``children`` count what is directly in it, drafts included."""

    id: UUID
    name: Annotated[str, Field(examples=["Mugs"])]
    parent_id: UUID | None
    attributes_schema: Annotated[
        dict[str, Any] | None,
        Field(examples=[{"type": "object", "properties": {"material": {"type": "string"}}}]),
    ]
    products: Count
    children: Count
    version: Count


class CategoriesOut(Page[CategoryOut, UUID]):
    """A page of the categories; ``next`` is the ``after`` of the page that follows, if there is one."""


def category_out(category: Category) -> CategoryOut:
    """The body for a category."""
    return CategoryOut(
        id=category.id,
        name=category.name,
        parent_id=category.parent_id,
        attributes_schema=dict(category.schema) if category.schema is not None else None,
        products=category.products,
        children=category.children,
        version=category.version,
    )


def _as_sent(schema: AttributesSchema | None) -> dict[str, Any] | None:
    return None if schema is None else schema.model_dump(by_alias=True, exclude_unset=True)
