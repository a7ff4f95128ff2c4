"""Where a page of a search ended: the next one continues there, even if products are added or removed in between.

A cursor is the sort key of the page's last product, and its id. For clients it is opaque; in the order of creation it
is the id itself.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from product_svc.search.domain import Sort
from product_svc.search.pipeline import Stage

MAX_LENGTH = 2000
BY_ID: dict[Sort, int] = {"added": 1, "newest": -1}


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a sorted list; ``key`` is None where the id is the key."""

    sort: Sort
    key: str | int | float | None
    id: UUID


def parse(text: str, sort: Sort) -> Cursor:
    """Read a cursor; raise ``ValueError`` if it is invalid, or belongs to a list with another sort."""
    if sort in BY_ID:
        return Cursor(sort, None, UUID(text))
    try:
        sorted_by, key, last = orjson.loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
        place = Cursor(sorted_by, key, UUID(last))
    except (binascii.Error, TypeError, AttributeError) as error:
        raise ValueError("not a cursor") from error
    kind: Any = {"name": str, "price": int, "relevance": float}[sort.removeprefix("-")]
    if sorted_by != sort or type(key) is not kind or (kind is int and not 0 <= key <= 10**15):
        raise ValueError("a cursor of another list")
    return place


def after_document(sort: Sort, last: Stage) -> str:
    """The cursor after a product, given its document as the search found it."""
    if sort in BY_ID:
        return str(last["_id"])
    keys = {"name": last["search"]["name"], "price": last.get("price"), "relevance": last.get("score")}
    text = orjson.dumps([sort, keys[sort.removeprefix("-")], str(last["_id"])])
    return base64.urlsafe_b64encode(text).decode()


def order(sort: Sort) -> tuple[str, int]:
    """(field, direction) of a sort; products with the same key are in the order of creation."""
    if sort in BY_ID:
        return "_id", BY_ID[sort]
    if sort == "relevance":
        return "score", -1
    path = "search.name" if sort.endswith("name") else "price"
    return path, -1 if sort.startswith("-") else 1


def stages(sort: Sort, after: Cursor | None) -> list[Stage]:
    """Sort what was found, and keep what comes after the cursor; by price, it has the field ``price``."""
    path, direction = order(sort)
    found: list[Stage] = [{"$set": {"score": {"$meta": "textScore"}}}] if sort == "relevance" else []
    if path == "search.name":
        # A document of the first release has none before it is migrated.
        found.append({"$match": {path: {"$exists": True}}})
    beyond = "$gt" if direction > 0 else "$lt"
    if after and after.key is None:
        found.append({"$match": {"_id": {beyond: after.id}}})
    elif after:
        same = {path: after.key, "_id": {"$gt": after.id}}
        found.append({"$match": {"$or": [{path: {beyond: after.key}}, same]}})
    return [*found, {"$sort": {path: direction} if path == "_id" else {path: direction, "_id": 1}}]
