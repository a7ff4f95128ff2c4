"""Files that appear when they are complete."""

from pathlib import Path

import pytest

from ops.imports.whole import appearing


def test_a_file_appears_at_the_end_and_an_earlier_one_outlives_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    for text in ("one", "two"):
        with appearing(path) as unfinished:
            unfinished.write_text(text)
            assert not path.exists() or path.read_text() == "one"
        assert path.read_text() == text
    with pytest.raises(ZeroDivisionError), appearing(path) as unfinished:
        unfinished.write_text(f"half {1 / 0}")
    assert (path.read_text(), [*tmp_path.iterdir()]) == ("two", [path])


def test_a_link_stays_and_what_it_leads_to_is_written(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    with appearing(link) as unfinished:
        unfinished.write_text("new")
    assert (link.is_symlink(), target.read_text()) == (True, "new")
