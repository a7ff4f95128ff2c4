"""The bodies of categories, and the JSON Schemas that they can be given (see ``attributes``)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from chassis.http.bodies import RequestBody
from product_svc.catalogue.attributes import is_pattern
from product_svc.catalogue.bodies import (
    ONLY_SO_NAMED,
    AttributeFloat,
    AttributeName,
    AttributeNumber,
    AttributeText,
    CategoryId,
    Name,
    Patch,
)


def _pattern(text: str) -> str:
    if not is_pattern(text):
        raise ValueError("no regular expression that this service can match")
    return text


Number = AttributeNumber | AttributeFloat
Bound = Annotated[Number, Field(examples=[10])]
Length = Annotated[int, Field(ge=0, le=2000, examples=[40])]
Pattern = Annotated[AttributeText, Field(max_length=500, examples=["^[a-z]+$"]), AfterValidator(_pattern)]
Title = Annotated[AttributeText, Field(max_length=200, examples=["Material"])]
Told = Annotated[AttributeText, Field(examples=["What it is made of"])]
Choice = Annotated[list[AttributeText], Field(min_length=1, max_length=200, examples=[["stoneware", "steel"]])]


class Rule(RequestBody):
    """JSON Schema's names are in camel case."""

    model_config = ConfigDict(alias_generator=to_camel)

    title: Title = Field(default_factory=str)
    description: Told = Field(default_factory=str)


class ItemRule(Rule):
    """The JSON Schema of an item of a list."""

    type: Literal["string"] = "string"
    enum: Choice = Field(default_factory=list)
    min_length: Length = Field(default_factory=int)
    max_length: Length = Field(default_factory=int)
    pattern: Pattern = Field(default_factory=str)


class AttributeRule(Rule):
    """The JSON Schema of one attribute. Keywords of other types than its own say nothing."""

    type: Literal["string", "number", "integer", "boolean", "array"]
    enum: Annotated[list[AttributeText | bool | Number], Field(min_length=1, max_length=200)] = Field(
        default_factory=list
    )
    minimum: Bound = Field(default_factory=int)
    maximum: Bound = Field(default_factory=int)
    exclusive_minimum: Bound = Field(default_factory=int)
    exclusive_maximum: Bound = Field(default_factory=int)
    min_length: Length = Field(default_factory=int)
    max_length: Length = Field(default_factory=int)
    pattern: Pattern = Field(default_factory=str)
    items: ItemRule = Field(default_factory=ItemRule)
    min_items: Length = Field(default_factory=int)
    max_items: Length = Field(default_factory=int)
    unique_items: bool = Field(default_factory=bool)


class AttributesSchema(Rule):
    """A JSON Schema (2020-12) for attributes. It may have the keywords below and no others."""

    type: Literal["object"]
    properties: Annotated[
        dict[AttributeName, AttributeRule],
        Field(
            max_length=100,
            examples=[{"material": {"type": "string", "enum": ["stoneware", "steel"]}}],
            json_schema_extra=dict(ONLY_SO_NAMED),
        ),
    ] = Field(default_factory=dict)
    required: Annotated[list[AttributeName], Field(max_length=100, examples=[["material"]])] = Field(
        default_factory=list
    )
    additional_properties: bool = Field(default_factory=lambda: True)


class CategoryBody(RequestBody):
    """A category under a parent, or at the root."""

    name: Name
    parent_id: CategoryId | None = None
    attributes_schema: AttributesSchema | None = None

    def schema_as_sent(self) -> dict[str, Any] | None:
        """The JSON Schema, with the keywords that were sent."""
        return _as_sent(self.attributes_schema)


class CategoryPatch(Patch):
    """A change of a category. Its products keep their attributes, whether they fit the new schema or not."""

    name: Name = Field(default_factory=str)
    parent_id: CategoryId | None = None
    attributes_schema: AttributesSchema | None = None

    def changes(self) -> dict[str, Any]:
        """Field → value, of those that were sent."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "attributes_schema" in sent:
            sent["schema"] = _as_sent(sent.pop("attributes_schema"))
        return sent


def _as_sent(schema: AttributesSchema | None) -> dict[str, Any] | None:
    return None if schema is None else schema.model_dump(by_alias=True, exclude_unset=True)
