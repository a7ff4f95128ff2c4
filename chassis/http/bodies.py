"""The base classes of request and response bodies, and the body of an error."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from chassis.http.examples import ID

PROBLEM_JSON = "application/problem+json"


class RequestBody(BaseModel):
    """A request body: unknown fields and near-miss types (``"1"`` or ``false`` for a number) are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ResponseBody(BaseModel):
    """A response body."""

    model_config = ConfigDict(frozen=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """The body that has the fields of a value of the domain under the same names, and no others of it."""
        return cls.model_validate(value, from_attributes=True)


class Problem(BaseModel):
    """Problem details (RFC 9457). ``code`` is stable; ``detail`` is for people."""

    type: Annotated[str, Field(examples=["urn:shopstream:problem:not_found"])]
    title: Annotated[str, Field(examples=["Not found"])]
    status: Annotated[int, Field(examples=[404])]
    code: Annotated[str, Field(examples=["not_found"])]
    detail: Annotated[str, Field(examples=["The resource does not exist."])]
    request_id: Annotated[str, Field(examples=[ID])]
