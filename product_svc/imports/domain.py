"""An import: a file of lines that arrives in parts. Pure.

A part and the progress of the import are saved in one transaction: a client that lost a response reads ``next_line``
and continues there, and no line is imported twice.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from chassis.persistence.unit_of_work import next_time
from product_svc.errors import TooManyLines, UnexpectedLine

Format = Literal["ndjson", "csv"]
Outcome = Literal["created", "changed", "unchanged", "failed", "no_product"]


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive lines about one product that state one version, as the rows of its variants do in CSV.

    What the first of them changes is not a conflict for the next.
    """

    product_id: UUID
    stated_version: int
    version: int
    """The product's version after these lines."""

    def continues(self, product_id: UUID, stated_version: int) -> bool:
        """Whether a line belongs to the run."""
        return (self.product_id, self.stated_version) == (product_id, stated_version)


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive rows of CSV with one handle or name: variants of one product."""

    key: str
    product_id: UUID


@dataclass(frozen=True, slots=True)
class Import:
    """The progress of an import. ``lines`` is the length of the file, headings and blank lines included."""

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
    """The heading of a CSV file, once its first line has arrived."""
    run: Run | None = None
    """The run that the next line may continue."""
    group: Group | None = None
    """The group that the next row may continue."""
    dry_run: bool = False
    """Whether lines are only tried: nothing but the progress and the faults stays."""

    @property
    def next_line(self) -> int | None:
        """The number of the line that is expected next, from 1; None when all have arrived."""
        return self.done + 1 if self.done < self.lines else None

    def expect(self, first: int, count: int = 0) -> None:
        """Raise ``UnexpectedLine`` unless a part begins with the next line, ``TooManyLines`` if it is too long."""
        if first != self.next_line:
            raise UnexpectedLine(next_line=self.next_line)
        if self.done + count > self.lines:
            raise TooManyLines(lines=self.lines)

    def advance(
        self,
        outcomes: Sequence[Outcome],
        columns: tuple[str, ...] | None,
        now: datetime,
        run: Run | None = None,
        group: Group | None = None,
    ) -> "Import":
        """The import after these lines."""
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
            group=group,
            changed_at=next_time(now, self.changed_at),
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a line was not imported. ``code`` is stable; ``detail`` is for people."""

    import_id: UUID
    line: int
    code: str
    detail: str
