"""What the routes ask for."""

from typing import Annotated, Any

from fastapi import Depends, Path, Request

from chassis.http.auth import Bearer
from schemas.values import Sku

SkuInPath = Annotated[Sku, Path(examples=["MUG-BLUE"])]

_BEARER = Bearer()
EVERYBODY: dict[str, Any] = {"security": [{}, {"HTTPBearer": []}]}
"""In the OpenAPI: a token is not needed, but believed."""


async def _is_staff(request: Request) -> bool:
    return "authorization" in request.headers and (await _BEARER(request)).role == "staff"


IsStaff = Annotated[bool, Depends(_is_staff)]
"""Whether staff is asking; nobody needs a token here, but a bad one is refused."""
