"""Writes the contracts down: ``python -m schemas.golden`` makes one JSON Schema and one example per event version.

Refuses to, where an old event or an old reader would not survive what has changed (see ``released``). The files
under ``golden/`` are committed, so that a change of a contract is seen in review, and read by the tests, so that what
was once published can be read for ever.
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
    """File name → text, as the files are to be."""
    made: dict[str, str] = {}
    for (name, version), cls in sorted(CATALOGUE.items()):
        made[f"{name}.v{version}.schema.json"] = _text(_schema(cls))
        made[f"{name}.v{version}.example.json"] = _text(_example(cls))
    return made


def write(folder: Path = FOLDER) -> None:
    """Make the folder hold these files and no others."""
    folder.mkdir(exist_ok=True)
    texts = files()
    for stray in {path.name for path in folder.glob("*.json")} - texts.keys():
        (folder / stray).unlink()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def release(folder: Path = released.FOLDER) -> list[str]:
    """Keep the present forms for good; change nothing and return what is wrong, where they would break something."""
    if wrong := list(released.lost(folder)):
        return wrong
    kept, today = released.read(folder), released.present(files())
    if wrong := sorted(set(released.broken(kept, today))):
        return wrong
    folder.mkdir(exist_ok=True)
    added = released.unreleased(kept, today)
    for form in added:
        (folder / form.file_name).write_text(form.text, encoding="utf-8")
    released.enlist(kept + added, folder)
    return []


def example(cls: type[BaseModel]) -> Any:
    """An instance made of the examples that stand at its fields."""
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
    """The whole message: a reader needs the headers as much as the value."""
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
    """Write everything, or say what must not be so."""
    if wrong := release():
        sys.exit(
            "\n".join([*wrong, "Leave what was released as it is, and add the next version: @event(..., version=2)."])
        )
    write()


if __name__ == "__main__":
    main()
