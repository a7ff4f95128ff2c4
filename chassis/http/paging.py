"""The envelope of a page of a list, the same for every list of every service."""

from typing import Generic, TypeVar

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
