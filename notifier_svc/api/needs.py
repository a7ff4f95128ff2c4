"""What routes ask for."""

from typing import Annotated

from fastapi import Query

Before = Annotated[int | None, Query(ge=0, lt=2**63, description="`next` of the page before", examples=[1234])]
Limit = Annotated[int, Query(ge=1, le=200)]
