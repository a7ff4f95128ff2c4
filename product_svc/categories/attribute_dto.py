"""The fields that the REST bodies of categories and of products share, attributes above all."""

from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from chassis.http.bodies import RequestBody
from chassis.http.fields import VISIBLE
from schemas.values import Text


def _not_an_integer(value: object) -> object:
    """Refuse what ``AttributeNumber`` refused: as a float, a large integer would lose its last digits."""
    if isinstance(value, int):
        raise ValueError("integers are stored exactly only up to 2**53 - 1")
    return value


AttributeName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
AttributeNumber = Annotated[int, Field(ge=-(2**53) + 1, le=2**53 - 1)]
AttributeText = Annotated[Text, Field(max_length=2000)]
AttributeFloat = Annotated[float, BeforeValidator(_not_an_integer), Field(allow_inf_nan=False)]
NO_OTHER_NAMES = {"additionalProperties": False}
"""For the OpenAPI of objects whose keys are attribute names: Pydantic's pattern alone would allow all other keys."""
Name = Annotated[Text, Field(min_length=1, max_length=200, examples=["Mug"]), VISIBLE]
# A UUID in JSON is a string, which a strict field would refuse.
CategoryId = Annotated[UUID, Field(strict=False)]


class Patch(RequestBody):
    """A change: only the fields that are sent are changed."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def _not_empty(self) -> "Patch":
        if not self.model_fields_set:
            raise ValueError("at least one field is needed")
        return self
