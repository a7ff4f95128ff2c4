"""The envelope of a page of a list, the same for every list of every service."""

from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query

from chassis.http.bodies import ResponseBody

Item = TypeVar("Item")
Cursor = TypeVar("Cursor")


class Page(ResponseBody, Generic[Item, Cursor]):
    """A page of a list; ``next`` is the cursor of the page that follows, None on the last.

    A service names its page in a subclass (``class OrdersOut(Page[OrderOut, UUID])``): the name and the docstring
    are what clients see in the OpenAPI.
    """

    items: list[Item]
    next: Cursor | None


NEXT = "`next` of the previous page"
"""What the query parameter ``cursor`` is, in every list."""
IdCursor = Annotated[UUID | None, Query(description=NEXT)]
"""Where the page begins, for lists that are ordered by an id."""
PositionCursor = Annotated[int | None, Query(ge=0, lt=2**63, description=NEXT, examples=[1234])]
"""The same for lists that are ordered by a ``position``."""
PageSize = Annotated[int, Query(ge=1, le=200)]
"""A query parameter: how many items a page has at most."""
