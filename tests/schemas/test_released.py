"""Released schemas are complete and unchanged, and the current ones are compatible with them."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest

from schemas import decode, golden, released
from schemas.released import Release, breaking_changes

RELEASED = released.read()
CURRENT = released.current(golden.files())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the released schemas."""
    copy = tmp_path / "released"
    copy.mkdir()
    for release in RELEASED:
        (copy / release.file_name).write_text(release.text, encoding="utf-8")
    released.add_to_list(RELEASED, copy)
    return copy


def test_every_current_schema_is_released() -> None:
    missing = [release.event for release in released.unreleased(RELEASED, CURRENT)]
    assert missing == [], "run `python -m schemas.golden` and commit what it adds"


def test_no_released_file_was_changed() -> None:
    """A file has the digest of its content in its name."""
    assert {release.file_name for release in RELEASED} == {path.name for path in released.FOLDER.iterdir()}


def test_no_released_file_is_missing() -> None:
    assert list(released.missing()) == []


def test_every_released_file_is_in_the_list() -> None:
    assert released.unlisted() == [], "run `python -m schemas.golden` and commit what it adds to released.sha256"


def test_the_current_schemas_are_compatible() -> None:
    assert sorted(set(breaking_changes(RELEASED, CURRENT))) == [], "leave this version as it is, and add a new one"


@pytest.mark.parametrize("release", RELEASED, ids=lambda release: release.file_name)
def test_an_old_event_can_be_read_by_current_code(release: Release) -> None:
    headers = [(name, value.encode()) for name, value in release.example["headers"].items()]
    read = decode(headers, json.dumps(release.example["value"]).encode())
    assert read is not None
    assert read.event.model_dump(mode="json").items() >= release.example["value"].items()


@pytest.mark.parametrize("release", RELEASED, ids=lambda release: release.file_name)
def test_a_current_event_is_valid_by_an_old_schema(release: Release) -> None:
    [current] = [one for one in CURRENT if one.event == release.event]
    jsonschema_rs.validate(dict(release.schema), current.example["value"])


def test_a_new_schema_is_added_and_the_old_ones_stay(folder: Path) -> None:
    old, listed = released.read(folder), released.listed(folder)
    for path in folder.glob("customer.verified.*"):
        path.unlink()
    entries = folder.with_name("released.sha256")
    lines = entries.read_text(encoding="utf-8").splitlines(keepends=True)
    entries.write_text("".join(line for line in lines if "customer.verified." not in line), encoding="utf-8")
    assert golden.release(folder) == []
    assert (released.read(folder), released.listed(folder)) == (old, listed)


def test_a_deleted_or_changed_file_is_an_error_and_nothing_is_written(folder: Path) -> None:
    deleted, other = (next(folder.glob(f"{name}.*")) for name in ("order.placed", "order.shipped"))
    deleted.unlink()
    other.write_text(other.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in folder.parent.rglob("*.*")}
    problems = golden.release(folder)
    assert [line.partition(";")[0].partition(": restore")[0] for line in problems] == [
        f"{deleted.name}: was released and is missing",
        f"{other.name}: is not as it was released",
    ]
    assert {path: path.read_bytes() for path in folder.parent.rglob("*.*")} == before


def test_a_file_that_is_not_listed_is_named(folder: Path) -> None:
    (folder / "order.lost.v1.0.json").write_text("{}", encoding="utf-8")
    assert released.unlisted(folder) == ["order.lost.v1.0.json"]


def test_the_list_can_be_read_by_sha256sum(folder: Path) -> None:
    result = subprocess.run(["sha256sum", "--check", "--quiet", "released.sha256"], cwd=folder.parent, check=False)
    assert result.returncode == 0


def test_an_incompatible_schema_is_refused_and_nothing_is_written(folder: Path) -> None:
    cancelled = next(release for release in RELEASED if release.event == "order.cancelled.v1")
    needed = {**cancelled.schema["properties"], "weight": {"type": "integer"}}
    stricter = replace(cancelled, schema={**cancelled.schema, "properties": needed, "required": ["weight"]})
    (folder / stricter.file_name).write_text(stricter.text, encoding="utf-8")
    before = sorted(folder.iterdir())
    problems = golden.release(folder)
    assert "order.cancelled.v1 event.weight: was removed, but old readers use it" in problems
    assert sorted(folder.iterdir()) == before


def test_a_removed_event_is_named() -> None:
    remaining = [release for release in CURRENT if release.event != "order.placed.v1"]
    assert list(breaking_changes(CURRENT, remaining)) == ["order.placed.v1: was removed, but topics hold such events"]


def test_a_change_that_is_safe_for_readers_first_is_accepted_by_name() -> None:
    rejected = [release for release in RELEASED if release.event == "stock.rejected.v1"]
    old = next(release for release in rejected if "discontinued" not in release.text)
    text = json.dumps(old.schema).replace('["short", "unknown"]', '["short", "unknown", "{}"]')
    known, other = [replace(old, schema=json.loads(text.replace("{}", value))) for value in ("discontinued", "lost")]
    assert list(breaking_changes([old], [known])) == []
    place = "stock.rejected.v1 event.shortages[].reason"
    assert list(breaking_changes([old], [other])) == [f"{place}: gained the value 'lost', which old readers refuse"]
