"""Categories: types and rules, without any I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.persistence.unit_of_work import next_time

MAX_DEPTH = 10


@dataclass(frozen=True, slots=True)
class Category:
    """A category under a parent or at the root.

    ``schema`` is a JSON Schema for the attributes of its products (``attribute_schema``). ``products`` and
    ``children`` count what is directly in it. ``version`` counts the changes of the other fields. No other service
    needs to know of categories, so no event is published about them.
    """

    id: UUID
    name: str
    parent_id: UUID | None
    schema: Mapping[str, Any] | None
    version: int
    changed_at: datetime
    products: int = 0
    children: int = 0
    removed: bool = False

    def change(self, now: datetime, **changes: Any) -> "Category | None":
        """Replace fields; None where nothing is different."""
        changed = replace(self, **changes)
        # Not ``==``, by which 1, 1.0 and True in a schema are the same.
        if repr(changed) == repr(self):
            return None
        return replace(changed, version=self.version + 1, changed_at=next_time(now, self.changed_at))
