"""Generates the contracts: ``python -m schemas.golden`` writes a JSON Schema and an example for each event version.

It refuses changes that are incompatible with old events or old readers (see ``released``). The files under
``golden/`` are committed, so that reviewers see every change of a contract; tests read them, so that everything
that was ever published stays readable.
"""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID
from zlib import crc32

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from schemas import CATALOGUE, Envelope, Event, encode, released
from schemas.envelope import SCHEMA_URN

FOLDER = Path(__file__).parent / "golden"

_TIME = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
_EVENT_ID = UUID("019b7c61-0000-7000-8000-0000000000e1")
_FIRST_ID = UUID("019b7c61-0000-7000-8000-000000000000")


def files() -> Mapping[str, str]:
    """File name → its text."""
    texts: dict[str, str] = {}
    for (name, version), cls in sorted(CATALOGUE.items()):
        texts[f"{name}.v{version}.schema.json"] = _text(_schema(cls))
        texts[f"{name}.v{version}.example.json"] = _text(_example(cls))
    return texts


def write(folder: Path = FOLDER) -> None:
    """Write these files to the folder, and delete all others."""
    folder.mkdir(exist_ok=True)
    texts = files()
    for stray in {path.name for path in folder.glob("*.json")} - texts.keys():
        (folder / stray).unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def release(folder: Path = released.FOLDER) -> list[str]:
    """Add the current schemas to the released ones; if they are incompatible, change nothing and return why."""
    if problems := list(released.missing(folder)):
        return problems
    known, current = released.read(folder), released.current(files())
    if problems := sorted(set(released.breaking_changes(known, current))):
        return problems
    folder.mkdir(exist_ok=True)
    added = released.unreleased(known, current)
    for schema in added:
        (folder / schema.file_name).write_text(schema.text, encoding="utf-8")
    released.add_to_list(known + added, folder)
    return []


def example(cls: type[BaseModel]) -> Any:
    """An instance made of the examples of its fields."""
    return cls(**{name: _value(name, field) for name, field in cls.model_fields.items()})


def _schema(cls: type[Event]) -> dict[str, Any]:
    about = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{SCHEMA_URN}:{cls.type}:{cls.version}",
        "x-topic": cls.topic,
        "x-key": cls.key_field,
    }
    return about | cls.model_json_schema()


def _example(cls: type[Event]) -> dict[str, Any]:
    """The whole message: readers need the headers as well as the value."""
    message = encode(Envelope(_EVENT_ID, "/shopstream/example", _TIME, 1, example(cls)))
    return {
        "topic": message.topic,
        "key": message.key,
        "headers": dict(message.headers),
        "value": json.loads(message.value),
    }


def _value(name: str, field: FieldInfo) -> Any:
    return field.examples[0] if field.examples else _of(field.annotation, name)


def _of(kind: Any, name: str) -> Any:
    if kind is UUID:
        return UUID(int=_FIRST_ID.int + crc32(name.encode()))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example(kind)
    inner = get_args(kind)
    if get_origin(kind) is tuple:
        return (_of(inner[0], name),)
    if get_origin(kind) is Literal:
        return inner[0]
    if get_origin(kind) in (Union, UnionType):
        return _of(inner[0], name)
    raise TypeError(f"no example for {name}: {kind}; give the field one")


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write everything, or exit with the reasons why not."""
    if problems := release():
        sys.exit(
            "\n".join([*problems, "Leave the released version as it is, and add a new one: @event(..., version=2)."])
        )
    write()


if __name__ == "__main__":
    main()
