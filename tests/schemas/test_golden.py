"""The committed contracts are what the code says, and their examples can be read."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from schemas import CATALOGUE, decode, golden

HINT = (
    "This changes a contract of other services. A new event or a new optional field: run `python -m schemas.golden`"
    " and commit the result. Anything else (a field removed, renamed, required or of another type): leave this"
    " version as it is and add the next one, `@event(..., version=2)`, in a class of its own."
)

COMMITTED = sorted(path.name for path in golden.FOLDER.glob("*.json"))
EXAMPLES = [name for name in COMMITTED if name.endswith(".example.json")]


def committed(name: str) -> str:
    return (golden.FOLDER / name).read_text(encoding="utf-8")


def sent(example: dict[str, Any]) -> tuple[list[tuple[str, bytes]], bytes]:
    headers = [(name, value.encode()) for name, value in example["headers"].items()]
    return headers, json.dumps(example["value"]).encode()


def test_every_event_version_has_a_schema_and_an_example() -> None:
    expected = {f"{name}.v{version}.{kind}.json" for name, version in CATALOGUE for kind in ("schema", "example")}
    assert set(COMMITTED) == expected, HINT


@pytest.mark.parametrize("name", COMMITTED)
def test_a_committed_contract_is_what_the_code_says(name: str) -> None:
    assert committed(name) == golden.files().get(name), f"{name}\n{HINT}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_committed_example_can_be_read(name: str) -> None:
    example = json.loads(committed(name))
    read = decode(*sent(example))
    assert read is not None
    assert (read.event.topic, read.event.key) == (example["topic"], example["key"])
    assert read.event.model_dump(mode="json") == example["value"]


def test_writing_restores_changed_files_and_deletes_others(tmp_path: Path) -> None:
    (tmp_path / "order.placed.v1.schema.json").write_text("{}", encoding="utf-8")
    (tmp_path / "order.unknown.v1.schema.json").write_text("{}", encoding="utf-8")
    golden.write(tmp_path)
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == golden.files()


def test_a_field_without_an_example_is_named() -> None:
    class Odd(BaseModel):
        colour: complex

    with pytest.raises(TypeError, match="colour"):
        golden.example(Odd)
