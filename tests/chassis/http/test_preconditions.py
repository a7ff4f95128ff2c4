"""The versions that If-Match accepts."""

import pytest

from chassis.http.preconditions import PreconditionFailed, PreconditionRequired, etag, unchanged_since


def test_the_tag_of_a_version_is_strong_and_quoted() -> None:
    assert etag(3) == '"3"'


@pytest.mark.parametrize("if_match", ['"3"', ' "3" ', '"2", "3"', '"3","x"', "*", " * "])
def test_the_version_that_was_read_may_be_changed(if_match: str) -> None:
    unchanged_since(if_match, 3)


@pytest.mark.parametrize("if_match", ['"2"', "3", 'W/"3"', "", ",", '"', '"33"', "\x00", '*, "2"', '"2", *'])
def test_a_version_changed_meanwhile_may_not(if_match: str) -> None:
    with pytest.raises(PreconditionFailed):
        unchanged_since(if_match, 3)


def test_a_change_without_a_condition_is_refused() -> None:
    with pytest.raises(PreconditionRequired):
        unchanged_since(None, 3)
