"""The progress of an import, without any I/O."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from product_svc.errors import TooManyLines, UnexpectedLine
from product_svc.imports.domain import Import

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BEGUN = Import(UUID(int=1), "csv", 5, UUID(int=2), NOW, NOW)


def test_lines_are_counted_by_their_outcome() -> None:
    later = NOW + timedelta(seconds=1)
    after = BEGUN.advance(["no_product", "created", "failed", "created"], ("sku",), later)
    assert (after.done, after.created, after.changed, after.unchanged, after.failed) == (4, 2, 0, 0, 1)
    assert (after.next_line, after.columns, after.changed_at) == (5, ("sku",), later)
    done = after.advance(["unchanged"], None, NOW)
    assert (done.next_line, done.unchanged, done.columns) == (None, 1, ("sku",))
    assert done.changed_at > after.changed_at


@pytest.mark.parametrize("first", [2, 5, 6])
def test_a_part_has_to_begin_with_the_next_line(first: int) -> None:
    with pytest.raises(UnexpectedLine) as refused:
        BEGUN.expect(first, 1)
    assert refused.value.extra == {"next_line": 1}


def test_a_part_cannot_exceed_the_announced_lines() -> None:
    BEGUN.expect(1, 5)
    with pytest.raises(TooManyLines):
        BEGUN.expect(1, 6)
    with pytest.raises(UnexpectedLine) as refused:
        BEGUN.advance(["created"] * 5, None, NOW).expect(6, 1)
    assert refused.value.extra == {"next_line": None}
