"""What was once released is there, unchanged, and today's code and yesterday's understand each other."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import jsonschema_rs
import pytest

from schemas import decode, golden, released
from schemas.released import Release, broken

KEPT = released.read()
TODAY = released.present(golden.files())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what is kept."""
    copy = tmp_path / "released"
    copy.mkdir()
    for release in KEPT:
        (copy / release.file_name).write_text(release.text, encoding="utf-8")
    released.enlist(KEPT, copy)
    return copy


def test_every_present_form_is_kept() -> None:
    missing = [release.event for release in released.unreleased(KEPT, TODAY)]
    assert missing == [], "run `python -m schemas.golden` and commit what it adds"


def test_nothing_that_is_kept_was_changed() -> None:
    """A file has the digest of its content in its name."""
    assert {release.file_name for release in KEPT} == {path.name for path in released.FOLDER.iterdir()}


def test_everything_that_was_ever_released_is_there_as_it_was() -> None:
    assert list(released.lost()) == []


def test_nothing_is_there_that_nobody_would_miss() -> None:
    assert released.unlisted() == [], "run `python -m schemas.golden` and commit what it adds to released.sha256"


def test_old_events_and_old_readers_survive_todays_forms() -> None:
    assert sorted(set(broken(KEPT, TODAY))) == [], "leave this version as it is, and add the next one"


@pytest.mark.parametrize("release", KEPT, ids=lambda release: release.file_name)
def test_an_event_of_then_can_be_read_today(release: Release) -> None:
    headers = [(name, value.encode()) for name, value in release.example["headers"].items()]
    read = decode(headers, json.dumps(release.example["value"]).encode())
    assert read is not None
    assert read.event.model_dump(mode="json").items() >= release.example["value"].items()


@pytest.mark.parametrize("release", KEPT, ids=lambda release: release.file_name)
def test_an_event_of_today_could_be_read_then(release: Release) -> None:
    [now] = [one for one in TODAY if one.event == release.event]
    jsonschema_rs.validate(dict(release.schema), now.example["value"])


def test_a_further_form_is_added_and_the_old_ones_stay(folder: Path) -> None:
    old, listed = released.read(folder), released.listed(folder)
    for path in folder.glob("customer.verified.*"):
        path.unlink()
    entries = folder.with_name("released.sha256")
    lines = entries.read_text(encoding="utf-8").splitlines(keepends=True)
    entries.write_text("".join(line for line in lines if "customer.verified." not in line), encoding="utf-8")
    assert golden.release(folder) == []
    assert (released.read(folder), released.listed(folder)) == (old, listed)


def test_a_form_that_is_deleted_or_changed_is_missed_and_nothing_is_written(folder: Path) -> None:
    gone, other = (next(folder.glob(f"{name}.*")) for name in ("order.placed", "order.shipped"))
    gone.unlink()
    other.write_text(other.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    before = {path: path.read_bytes() for path in folder.parent.rglob("*.*")}
    wrong = golden.release(folder)
    assert [line.partition(";")[0] for line in wrong] == [
        f"{gone.name}: was released and is gone",
        f"{other.name}: is not as it was released",
    ]
    assert {path: path.read_bytes() for path in folder.parent.rglob("*.*")} == before


def test_a_form_that_is_not_listed_is_named(folder: Path) -> None:
    (folder / "order.lost.v1.0.json").write_text("{}", encoding="utf-8")
    assert released.unlisted(folder) == ["order.lost.v1.0.json"]


def test_the_list_can_be_read_by_sha256sum(folder: Path) -> None:
    told = subprocess.run(["sha256sum", "--check", "--quiet", "released.sha256"], cwd=folder.parent, check=False)
    assert told.returncode == 0


def test_an_incompatible_form_is_refused_and_nothing_is_written(folder: Path) -> None:
    cancelled = next(release for release in KEPT if release.event == "order.cancelled.v1")
    needed = {**cancelled.schema["properties"], "weight": {"type": "integer"}}
    stricter = replace(cancelled, schema={**cancelled.schema, "properties": needed, "required": ["weight"]})
    (folder / stricter.file_name).write_text(stricter.text, encoding="utf-8")
    before = sorted(folder.iterdir())
    wrong = golden.release(folder)
    assert "order.cancelled.v1 event.weight: is gone, and old readers look for it" in wrong
    assert sorted(folder.iterdir()) == before


def test_an_event_that_is_told_no_longer_is_named() -> None:
    gone = [release for release in TODAY if release.event != "order.placed.v1"]
    assert list(broken(TODAY, gone)) == ["order.placed.v1: is gone, and topics are full of it"]


def test_what_is_safe_with_readers_first_is_accepted_by_name() -> None:
    rejected = [release for release in KEPT if release.event == "stock.rejected.v1"]
    old = next(release for release in rejected if "discontinued" not in release.text)
    text = json.dumps(old.schema).replace('["short", "unknown"]', '["short", "unknown", "{}"]')
    known, other = [replace(old, schema=json.loads(text.replace("{}", value))) for value in ("discontinued", "lost")]
    assert list(broken([old], [known])) == []
    place = "stock.rejected.v1 event.shortages[].reason"
    assert list(broken([old], [other])) == [f"{place}: gained the value 'lost', which old readers refuse"]
