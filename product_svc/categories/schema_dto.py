"""The JSON Schemas that categories can have, as REST bodies (see ``attribute_schema``)."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from chassis.http.bodies import RequestBody
from chassis.http.fields import VISIBLE, Prose
from product_svc.categories.attribute_dto import (
    NO_OTHER_NAMES,
    AttributeFloat,
    AttributeName,
    AttributeNumber,
    AttributeText,
)
from product_svc.categories.patterns import MAX_SIZE, MAX_TOTAL_SIZE, size


def _pattern(text: str) -> str:
    # Whether the engine takes it is found out in a thread, before the category is stored.
    if size(text) > MAX_SIZE:
        raise ValueError("the pattern is too large, with its repetitions written out")
    return text


Number = AttributeNumber | AttributeFloat
Bound = Annotated[Number, Field(examples=[10])]
Length = Annotated[int, Field(ge=0, le=2000, examples=[40])]
Pattern = Annotated[AttributeText, Field(max_length=500, examples=["^[a-z]+$"]), AfterValidator(_pattern)]
Title = Annotated[AttributeText, Field(max_length=200, examples=["Material"]), VISIBLE]
Description = Annotated[Prose, Field(max_length=2000, examples=["What it is made of"])]
Choice = Annotated[list[AttributeText], Field(min_length=1, max_length=200, examples=[["stoneware", "steel"]])]


class Rule(RequestBody):
    """A part of a JSON Schema, whose keywords are in camel case."""

    model_config = ConfigDict(alias_generator=to_camel)

    title: Title = Field(default_factory=str)
    description: Description = Field(default_factory=str)


class ItemRule(Rule):
    """The JSON Schema of an item of a list."""

    type: Literal["string"] = "string"
    enum: Choice = Field(default_factory=list)
    min_length: Length = Field(default_factory=int)
    max_length: Length = Field(default_factory=int)
    pattern: Pattern = Field(default_factory=str)


class AttributeRule(Rule):
    """The JSON Schema of one attribute. Keywords for other types than its own have no effect."""

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
    """A JSON Schema (2020-12) for attributes. It may have these keywords and no others."""

    type: Literal["object"]
    properties: Annotated[
        dict[AttributeName, AttributeRule],
        Field(
            max_length=100,
            examples=[{"material": {"type": "string", "enum": ["stoneware", "steel"]}}],
            json_schema_extra=dict(NO_OTHER_NAMES),
        ),
    ] = Field(default_factory=dict)
    required: Annotated[list[AttributeName], Field(max_length=100, examples=[["material"]])] = Field(
        default_factory=list
    )
    additional_properties: bool = Field(default_factory=lambda: True)

    @model_validator(mode="after")
    def _patterns_are_small_together(self) -> "AttributesSchema":
        parts = [part for rule in self.properties.values() for part in (rule, rule.items)]
        if sum(size(part.pattern) for part in parts) > MAX_TOTAL_SIZE:
            raise ValueError("the patterns are too large together, with their repetitions written out")
        return self
