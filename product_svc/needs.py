"""What the routes ask for."""

from typing import Annotated, Any

from fastapi import Depends, Path, Request

from chassis.auth import Bearer
from chassis.groupcommit import GroupCommit
from chassis.mongo import Mongo
from chassis.rest import state
from product_svc.store import Warehouse
from schemas.values import Sku

Commit = Annotated[GroupCommit[Warehouse], state("commit")]
Database = Annotated[Mongo, state("database")]
KeptSeconds = Annotated[float, state("idempotency_seconds")]
SkuInPath = Annotated[Sku, Path(examples=["MUG-BLUE"])]

_BEARER = Bearer()
EVERYBODY: dict[str, Any] = {"security": [{}, {"HTTPBearer": []}]}
"""In the OpenAPI: a token is not needed, but believed."""


async def _is_staff(request: Request) -> bool:
    return "authorization" in request.headers and (await _BEARER(request)).role == "staff"


IsStaff = Annotated[bool, Depends(_is_staff)]
"""Whether staff is asking; nobody needs a token here, but a bad one is refused."""
