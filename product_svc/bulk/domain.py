"""An import: a file of lines that comes in parts. Pure.

A part and the note of how far the file has come are one transaction: who lost the answer asks for ``next_line`` and
goes on there, and no line counts twice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from product_svc.errors import OutOfLine, TooManyLines

Format = Literal["ndjson", "csv"]
Outcome = Literal["created", "changed", "unchanged", "failed", "no_product"]


@dataclass(frozen=True, slots=True)
class Run:
    """Lines of one product that stand together and state one version, as the rows of its variants do in CSV.

    What the first of them makes of the product is not somebody else's change to the next.
    """

    product_id: UUID
    stated: int
    left: int
    """The version that they have left it in."""

    def goes_on(self, product_id: UUID, stated: int) -> bool:
        """Whether a line belongs to it."""
        return (self.product_id, self.stated) == (product_id, stated)


@dataclass(frozen=True, slots=True)
class Import:
    """How far a file has come. ``lines`` is how many it has, headings and blank ones included."""

    id: UUID
    format: Format
    lines: int
    by: UUID
    started_at: datetime
    changed_at: datetime
    done: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    columns: tuple[str, ...] | None = None
    """The heading of a CSV file, once its first line has come."""
    run: Run | None = None
    """What the next line may belong to."""

    @property
    def next_line(self) -> int | None:
        """The line that is to come next, from 1; None when all have come."""
        return self.done + 1 if self.done < self.lines else None

    def expect(self, first: int, count: int) -> None:
        """Raise ``OutOfLine`` unless a part begins where the file goes on, ``TooManyLines`` if it goes too far."""
        if first != self.next_line:
            raise OutOfLine(next_line=self.next_line)
        if self.done + count > self.lines:
            raise TooManyLines(lines=self.lines)

    def advance(
        self, outcomes: Sequence[Outcome], columns: tuple[str, ...] | None, now: datetime, run: Run | None = None
    ) -> "Import":
        """The import with these lines done."""
        counts = Counter(outcomes)
        return replace(
            self,
            done=self.done + len(outcomes),
            created=self.created + counts["created"],
            changed=self.changed + counts["changed"],
            unchanged=self.unchanged + counts["unchanged"],
            failed=self.failed + counts["failed"],
            columns=self.columns or columns,
            run=run,
            changed_at=next_time(now, self.changed_at),
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line was not taken. ``code`` is stable; ``detail`` is for people."""

    import_id: UUID
    line: int
    code: str
    detail: str
