"""The released schemas: every schema that an event version has ever had, kept under ``golden/released/``.

A file is named after the digest of its content, so that no change goes unnoticed, and ``golden/released.sha256``
lists all files, so that none can disappear. ``python -m schemas.golden`` adds the current schemas to both.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.compatibility import Schema, incompatibilities, plain

FOLDER = Path(__file__).parent / "golden" / "released"

CONSUMERS_FIRST = frozenset(
    {
        # An order with something that was discontinued used to be rejected as "short".
        "stock.rejected.v1 event.shortages[].reason: gained the value 'discontinued', which old readers refuse",
        "order.rejected.v1 event.shortages[].reason: gained the value 'discontinued', which old readers refuse",
    }
)
"""Changes that are safe if readers are deployed before writers, each accepted by name (decision 0025)."""


@dataclass(frozen=True, slots=True)
class Release:
    """A released schema of an event version: its plain JSON Schema, and an example with its headers."""

    event: str
    schema: Schema
    example: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The content of its file."""
        return json.dumps({"schema": self.schema, "example": self.example}, indent=1, ensure_ascii=False) + "\n"

    @property
    def digest(self) -> str:
        """The SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def file_name(self) -> str:
        """``order.placed.v1.<first 12 digits of the digest>.json``."""
        return f"{self.event}.{self.digest[:12]}.json"


def read(folder: Path = FOLDER) -> list[Release]:
    """All released schemas."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def listed(folder: Path = FOLDER) -> dict[str, str]:
    """File name → SHA-256 of every schema that was ever released, as ``sha256sum`` writes them."""
    path = _list_of(folder)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {
        place.removeprefix(f"{folder.name}/"): digest for digest, _, place in (line.partition("  ") for line in lines)
    }


def add_to_list(releases: list[Release], folder: Path = FOLDER) -> None:
    """Add these to the list."""
    known = listed(folder) | {release.file_name: release.digest for release in releases}
    text = "".join(f"{digest}  {folder.name}/{name}\n" for name, digest in sorted(known.items()))
    _list_of(folder).write_text(text, encoding="utf-8")


def missing(folder: Path = FOLDER) -> Iterator[str]:
    """Which released files are missing or changed, with the reason."""
    for name, digest in listed(folder).items():
        path = folder / name
        if not path.exists():
            yield f"{name}: was released and is missing; topics hold such events: restore the file from the history"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield f"{name}: is not as it was released: restore the file from the history"


def unlisted(folder: Path = FOLDER) -> list[str]:
    """The files that are not in the list."""
    return sorted({path.name for path in folder.iterdir()} - listed(folder).keys())


def _list_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.sha256")


def _read(path: Path) -> Release:
    content = json.loads(path.read_text(encoding="utf-8"))
    return Release(path.name.rsplit(".", 2)[0], content["schema"], content["example"])


def current(golden: Mapping[str, str]) -> list[Release]:
    """The current schemas, from the texts of the golden files by file name."""
    events = sorted(name.removesuffix(".schema.json") for name in golden if name.endswith(".schema.json"))
    return [
        Release(
            event,
            plain(json.loads(golden[f"{event}.schema.json"])),
            json.loads(golden[f"{event}.example.json"]),
        )
        for event in events
    ]


def breaking_changes(known: list[Release], current: list[Release]) -> Iterator[str]:
    """What in the current schemas is incompatible with old writers or readers."""
    by_event = {release.event: release for release in current}
    for old in known:
        if old.event not in by_event:
            yield f"{old.event}: was removed, but topics hold such events"
            continue
        for what in incompatibilities(old.schema, by_event[old.event].schema):
            if f"{old.event} {what}" not in CONSUMERS_FIRST:
                yield f"{old.event} {what}"


def unreleased(known: list[Release], current: list[Release]) -> list[Release]:
    """The current schemas that are not released yet. Another example or description makes no other schema."""
    schemas = [(release.event, release.schema) for release in known]
    return [release for release in current if (release.event, release.schema) not in schemas]
