"""Every form that an event version ever had, kept for good under ``golden/released/``, and what today's form would
break for those who still write or read an older one.

A file is named after the digest of what is in it, so that none is changed unseen, and ``golden/released.sha256``
lists them all, so that none is taken away; ``python -m schemas.golden`` adds the present forms to both.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas.compatibility import Schema, breaks, plain

FOLDER = Path(__file__).parent / "golden" / "released"

CONSUMERS_FIRST = frozenset(
    {
        # An order with something that was discontinued used to be rejected as "short".
        "stock.rejected.v1 event.shortages[].reason: gained the value 'discontinued', which old readers refuse",
        "order.rejected.v1 event.shortages[].reason: gained the value 'discontinued', which old readers refuse",
    }
)
"""Changes that are safe as long as readers are deployed before writers, each accepted by name (decision 0070)."""


@dataclass(frozen=True, slots=True)
class Release:
    """A form that an event version had: its plain JSON Schema, and one such event with its headers."""

    event: str
    schema: Schema
    example: Mapping[str, Any]

    @property
    def text(self) -> str:
        """As it is kept."""
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
    """All that are kept."""
    return [_read(path) for path in sorted(folder.glob("*.json"))]


def listed(folder: Path = FOLDER) -> dict[str, str]:
    """File name → SHA-256 of every form that was ever kept, as ``sha256sum`` writes them."""
    path = _list_of(folder)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {
        place.removeprefix(f"{folder.name}/"): digest for digest, _, place in (line.partition("  ") for line in lines)
    }


def enlist(forms: list[Release], folder: Path = FOLDER) -> None:
    """List these forms too."""
    known = listed(folder) | {form.file_name: form.digest for form in forms}
    text = "".join(f"{digest}  {folder.name}/{name}\n" for name, digest in sorted(known.items()))
    _list_of(folder).write_text(text, encoding="utf-8")


def lost(folder: Path = FOLDER) -> Iterator[str]:
    """What is not there any more, or not as it was released."""
    for name, digest in listed(folder).items():
        path = folder / name
        if not path.exists():
            yield f"{name}: was released and is gone; topics hold such events, get the file back out of the history"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            yield f"{name}: is not as it was released; get the file back out of the history"


def unlisted(folder: Path = FOLDER) -> list[str]:
    """The files that nobody would miss."""
    return sorted({path.name for path in folder.iterdir()} - listed(folder).keys())


def _list_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.sha256")


def _read(path: Path) -> Release:
    kept = json.loads(path.read_text(encoding="utf-8"))
    return Release(path.name.rsplit(".", 2)[0], kept["schema"], kept["example"])


def present(golden: Mapping[str, str]) -> list[Release]:
    """The present forms, out of the texts of the golden files by their names."""
    events = sorted(name.removesuffix(".schema.json") for name in golden if name.endswith(".schema.json"))
    return [
        Release(
            event,
            plain(json.loads(golden[f"{event}.schema.json"])),
            json.loads(golden[f"{event}.example.json"]),
        )
        for event in events
    ]


def broken(kept: list[Release], today: list[Release]) -> Iterator[str]:
    """What old writers or readers would not survive of today's forms."""
    now = {release.event: release for release in today}
    for old in kept:
        if old.event not in now:
            yield f"{old.event}: is gone, and topics are full of it"
            continue
        for what in breaks(old.schema, now[old.event].schema):
            if f"{old.event} {what}" not in CONSUMERS_FIRST:
                yield f"{old.event} {what}"


def unreleased(kept: list[Release], today: list[Release]) -> list[Release]:
    """The present forms that are not kept yet. Another example, or other words, make no other form."""
    known = [(release.event, release.schema) for release in kept]
    return [release for release in today if (release.event, release.schema) not in known]
