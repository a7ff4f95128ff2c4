"""Sends a file to product_svc in parts, each of which is one transaction there.

The service knows how far an import has come. So what has stopped it (a lost connection, a kill, a token that expired)
is no loss: ``next_line`` says where to continue, and no line is imported twice.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from typing import Any

from ops.errors import CannotDo
from ops.imports.records import Fault, Part, Record, Source, bounded, parts
from ops.imports.state import Started, StateFile
from ops.rest import LATER, PAGE, Refused, Rest, Unreachable

IMPORTS = "/v1/imports"
MEDIA = {"ndjson": "application/x-ndjson", "csv": "text/csv"}
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.2, 5.0

Progress = Callable[[int, int], object]
"""Called with the lines that have arrived, and all of them."""


@dataclass(frozen=True, slots=True)
class Content:
    """What all records of a file are together."""

    lines: int
    digest: str
    faulty: int
    """The records with faults that were found here; of these, no line is sent."""


@dataclass(frozen=True, slots=True)
class Done:
    """An import that has ended, as product_svc knows it, and the faults that were found here."""

    document: dict[str, Any]
    faulty_here: int
    continued_at: int
    """The line that it continued at; 1 where it was new."""

    @property
    def failed(self) -> int:
        """How many faults there are."""
        return int(self.document["failed"]) + self.faulty_here


def content_of(source: Source) -> Content:
    """Read a file once, and keep nothing of it; raise ``CannotDo`` if there is nothing in it."""
    lines, faulty, digest = 0, 0, blake2b(digest_size=16)
    for record in bounded(source.records()):
        lines += record.length
        faulty += len(record.faults)
        digest.update(record.content + b"\n")
    if lines == 0:
        raise CannotDo("the file is empty")
    return Content(lines, f"{source.format} {digest.hexdigest()}", faulty)


@dataclass(frozen=True, slots=True)
class Upload:
    """An import of a file."""

    rest: Rest
    source: Source
    content: Content
    state: StateFile
    dry_run: bool
    patience_seconds: float

    async def run(self, *, restart: bool, progress: Progress) -> Done:
        """Start or continue it, and send all that is missing. The state is kept: its faults may be left to read."""
        known = None if restart else self.state.read(self.content.digest)
        document = await self._found(known) if known else None
        if document is None:
            document = await self._started()
        begun = document["done"] + 1
        progress(document["done"], document["lines"])
        for part in self._missing(document["next_line"]):
            document = await self._send(document["id"], part)
            progress(document["done"], document["lines"])
        return Done(document, self.content.faulty, begun)

    async def _found(self, import_id: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = await self._patiently(lambda: self.rest.get("product", f"{IMPORTS}/{import_id}"))
        except Refused as error:
            if error.status == 404:
                return None
            raise
        # Perhaps all lines have arrived, and only the report is missing.
        return found

    async def _started(self) -> dict[str, Any]:
        body = {"format": self.source.format, "lines": self.content.lines, "dry_run": self.dry_run}
        # A repeated request starts another one, which is left as it is: nothing was imported by it.
        document: dict[str, Any] = await self._patiently(lambda: self.rest.ask("product", IMPORTS, body))
        self.state.write(Started(document["id"], self.content.digest))
        return document

    def _missing(self, next_line: int | None) -> Iterator[Part]:
        return parts(bounded(self.source.records()), next_line) if next_line else iter(())

    async def _send(self, import_id: str, part: Part) -> dict[str, Any]:
        """Send a part, however often that takes; return the import."""

        async def send() -> dict[str, Any]:
            try:
                document: dict[str, Any] = await self.rest.upload(
                    *("product", f"{IMPORTS}/{import_id}/parts", part.body, MEDIA[self.source.format]),
                    first_line=part.first_line,
                )
            except Refused as error:
                if error.code != "unexpected_line":
                    raise
                # The response to an earlier attempt was lost.
                document = await self.rest.get("product", f"{IMPORTS}/{import_id}")
            if document["done"] != part.first_line + part.length - 1:
                raise CannotDo(f"another program sends lines of the import {import_id} as well")
            return document

        sent: dict[str, Any] = await self._patiently(send)
        return sent

    async def _patiently(self, attempt: Callable[[], Any]) -> Any:
        began, pause = time.monotonic(), PAUSE_SECONDS
        while True:
            try:
                return await attempt()
            except (Unreachable, Refused) as error:
                if isinstance(error, Refused) and error.status not in LATER:
                    raise
                if time.monotonic() - began + pause > self.patience_seconds:
                    raise CannotDo(f"{error}; the same command continues where it was") from error
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def faults(self, import_id: str) -> AsyncIterator[Fault]:
        """Every fault in the order of the lines that were sent, by line of the file."""
        theirs = self._found_there(import_id)
        waiting = await anext(theirs, None)
        at = 1
        for record in bounded(self.source.records()):
            for fault in record.faults:
                yield fault
            at += record.length
            while waiting is not None and waiting["line"] < at:
                for fault in _faults(record, waiting):
                    yield fault
                waiting = await anext(theirs, None)

    async def _found_there(self, import_id: str) -> AsyncIterator[dict[str, Any]]:
        """The faults that product_svc has found, page by page."""
        path, after = f"{IMPORTS}/{import_id}/faults", None
        while True:
            page = await self._patiently(partial(self.rest.get, "product", path, limit=PAGE, cursor=after))
            for fault in page["items"]:
                yield fault
            after = page.get("next")
            if after is None:
                return


def _faults(record: Record, document: dict[str, Any]) -> Iterator[Fault]:
    code, detail = document["code"], document["detail"]
    if code != "malformed_line":
        yield Fault(record.lines[0], "", detail, code)
        return
    for message in _messages(detail):
        place, colon, reason = message.partition(": ")
        if not colon:
            place, reason = "line", message
        yield Fault(_line(record, place), _named(place, record), reason, code)


def _messages(detail: str) -> list[str]:
    """The messages of a detail, each of which begins with its place."""
    found: list[str] = []
    for one in detail.split("; "):
        if found and " " in one.partition(": ")[0]:
            found[-1] += f"; {one}"
        else:
            found.append(one)
    return found


def _line(record: Record, place: str) -> int:
    kind, _, rest = place.partition("/")
    number = rest.partition("/")[0]
    if kind == "variants" and number.isdigit() and int(number) < len(record.lines):
        return record.lines[int(number)]
    return record.lines[0]


def _named(place: str, record: Record) -> str:
    """A place in a product of one variant, as the column of CSV has it."""
    variant, separator, rest = place.partition("variants/0/")
    if variant or not separator or record.content.startswith(b"{"):
        return place
    if rest.startswith(("price", "sku")):
        return {"price/amount": "price", "price/currency": "currency"}.get(rest, rest)
    return f"variant_{rest}"
